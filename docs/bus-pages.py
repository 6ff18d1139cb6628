#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a man page of D-Bus contracts: bus-pages.py NAME ONE-LINE-DESCRIPTION SEE-ALSO FILE…. The text is in the XML: the
comment before an interface or a member is its description."""

import sys
import textwrap
import xml.etree.ElementTree as xml


def escape(text):
    text = text.replace('\\', '\\e').replace('-', '\\-')
    return '\n'.join('\\&' + line if line[:1] in ('.', "'") else line for line in text.split('\n'))


def paragraphs(text):
    return [' '.join(p.split()) for p in text.strip().split('\n\n') if p.strip()] if text else []


def body(text):
    """Paragraphs of an indented member."""
    if not text:
        return '\\&'
    return '\n.IP\n'.join(escape('\n'.join(textwrap.wrap(p, 130, break_on_hyphens=False))) for p in paragraphs(text))


def arguments(node, direction=None):
    return ', '.join(f'{a.get("type")} {a.get("name")}' for a in node.findall('arg') if a.get('direction') == direction)


def head(node):
    name = escape(node.get('name'))
    if node.tag == 'method':
        out = arguments(node, 'out')
        return f'.BR {name} "({escape(arguments(node, "in"))})' + (f' \\(-> {escape(out)}"' if out else '"')
    if node.tag == 'signal':
        return f'.BR {name} "({escape(arguments(node))})"'
    notes = {a.get('name'): a.get('value') for a in node.findall('annotation')}
    emits = notes.get('org.freedesktop.DBus.Property.EmitsChangedSignal', 'true')
    said = {'const': 'never changes', 'false': 'read it when it is needed', 'invalidates': 'told to have changed',
            'true': 'changes are told'}[emits]
    return f'.BR {name} " {escape(node.get("type"))}, {said}"'


def members(root):
    """(node, text) of interfaces, with their members likewise."""
    text = None
    for node in root:
        if not isinstance(node.tag, str):
            text = node.text
            continue
        yield node, text
        text = None


def section(title, rows):
    return [f'.SS {title}'] + [f'.TP\n{head(node)}\n{body(text)}' for node, text in rows] if rows else []


def interface(node, text):
    out = [f'.SH "INTERFACE {escape(node.get("name"))}"']
    out += [f'.PP\n{escape(p)}' for p in paragraphs(text)]
    table = list(members(node))
    for title, tag in (('Methods', 'method'), ('Signals', 'signal'), ('Properties', 'property')):
        out += section(title, [(n, t) for n, t in table if n.tag == tag])
    return out


def main(name, what, also, *files):
    sys.stdout.reconfigure(encoding='utf-8')
    out = ['.\\" SPDX-License-Identifier: GPL-2.0-or-later', f'.TH {name} 5 "" "Stauer" "D\\-Bus Interfaces"', '.SH NAME',
           f'{name} \\- {escape(what)}']
    for path in files:
        root = xml.parse(path, xml.XMLParser(target=xml.TreeBuilder(insert_comments=True))).getroot()
        for node, text in members(root):
            out += interface(node, text)
    *pages, last = (f'.BR {page.replace("(", " (")}' for page in also.split(','))
    print('\n'.join([*out, '.SH SEE ALSO', *(f'{page},' for page in pages), last]))


main(*sys.argv[1:])
