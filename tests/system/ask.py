# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks the name server at 127.0.0.11. As a program, `ask.py SECONDS`, it asks as fast as it can: a flood."""

import os
import socket
import struct
import sys
import time

TYPES = {'A': 1, 'PTR': 12, 'MX': 15, 'TXT': 16, 'AAAA': 28}
SERVER = ('127.0.0.11', 53)


def name_to_wire(name):
    return b''.join(bytes([len(label)]) + label.encode() for label in name.split('.') if label) + b'\0'


def question(name, kind, edns=False):
    message = struct.pack('>6H', int.from_bytes(os.urandom(2), 'big'), 0x100, 1, 0, 0, int(edns))
    message += name_to_wire(name) + struct.pack('>2H', TYPES[kind], 1)
    return message + (struct.pack('>BHHIH', 0, 41, 1232, 0, 0) if edns else b'')


def read_name(message, at):
    labels = []
    while message[at]:
        if message[at] >= 0xc0:
            return '.'.join(labels + [read_name(message, (message[at] & 0x3f) << 8 | message[at + 1])[0]]), at + 2
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return '.'.join(labels), at + 1


def parse(message):
    _, flags, questions, answers, _, more = struct.unpack('>6H', message[:12])
    at, found = 12, []
    for _ in range(questions):
        at = read_name(message, at)[1] + 4
    for _ in range(answers):
        at = read_name(message, at)[1]
        kind, _, ttl, size = struct.unpack('>2HIH', message[at:at + 10])
        data = message[at + 10:at + 10 + size]
        if kind == TYPES['PTR']:
            found.append(read_name(message, at + 10)[0])
        else:
            found.append(socket.inet_ntop(socket.AF_INET if kind == TYPES['A'] else socket.AF_INET6, data))
        at += 10 + size
    return {'code': flags & 15, 'cut': bool(flags & 0x200), 'edns': bool(more), 'answers': found}


def ask(make_socket, name, kind='A', way='udp', timeout=10.0):
    """make_socket(type) gives a socket inside of a container's network namespace; way: udp, edns (over UDP), tcp."""
    message = question(name, kind, edns=way == 'edns')
    with make_socket(socket.SOCK_STREAM if way == 'tcp' else socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.connect(SERVER)
        if way != 'tcp':
            s.send(message)
            return parse(s.recv(65535))
        s.send(struct.pack('>H', len(message)) + message)
        with s.makefile('rb') as f:
            return parse(f.read(struct.unpack('>H', f.read(2))[0]))


def flood(seconds):
    message, n, end = question('web', 'A'), 0, time.monotonic() + float(seconds)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(SERVER)
        s.setblocking(False)
        while time.monotonic() < end:
            n += 1
            try:
                s.send(message)
            except OSError:             # its queue is full
                time.sleep(0.0001)
    return n


if __name__ == '__main__':
    print(flood(sys.argv[1]))
