(* SPDX-License-Identifier: GPL-2.0-or-later

   Module: Envfile
     Files of NAME=value lines as systemd's EnvironmentFile= reads them, such as /etc/sysconfig/docker.

   The stock lenses (Shellvars, Sysconfig) read some of these files otherwise than systemd does, refuse others, and drop blank lines and
   bare "#" lines. This one keeps every line as a node, so that what is not edited is printed byte for byte:

     #blank     a line with nothing on it
     #comment   a line that starts with # or ;
     #other     a line that systemd skips: no "=", or a name that is none ("export X=1")
     NAME       an assignment; its value is the raw text with quotes and escapes *)
module Envfile =

  (* A backslash takes the next character, a newline included. *)
  let escaped = /\\\\(.|\n)/
  let double  = /"([^"\\]|\\\\(.|\n))*"/
  let single  = /'[^']*'/
  let blanks  = /[ \t]*/

  (* A bare value goes to the end of the line; quotes are letters inside of it. *)
  let bare_first = /[^"'\\ \t\r\n]/ | escaped
  let bare_next  = /[^\\ \t\r\n]/ | escaped
  let bare       = bare_first . (blanks . bare_next)*

  (* Behind a closing quote systemd goes on as if the value began. *)
  let quoted = (double|single) . (blanks . (double|single))*
  let raw    = quoted . (blanks . bare)? | bare

  let name = /[A-Za-z_][A-Za-z0-9_]*/
  let eol  = del /[ \t]*\r?\n/ "\n"
  let ind  = del /[ \t]*/ ""

  let text     = /[^#; \t\r\n]/ . /([^\r\n]*[^ \t\r\n])?/
  let other_re = text - (name . /[ \t]*=[^\r\n]*/)

  let blank   = [ label "#blank" . eol ]
  let comment = [ label "#comment" . ind . store /[#;]([^\r\n]*[^ \t\r\n])?/ . eol ]
  let other   = [ label "#other" . ind . store other_re . eol ]
  let assign  = [ ind . key name . del /[ \t]*=[ \t]*/ "=" . store raw . eol ]
              | [ ind . key name . del /[ \t]*=/ "=" . value "" . eol ]

  let lns = (blank | comment | other | assign)*
