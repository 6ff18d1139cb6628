(* SPDX-License-Identifier: GPL-2.0-or-later
   Tests of the lens Envfile, for augparse (which also checks its types). *)
module Test_envfile =

let lns = Envfile.lns

(* SUSE's file: every line is a node. *)
let suse = "
## Path           : System/Management
## Type           : string
#
DOCKER_OPTS=\"-s btrfs\"
"
test lns get suse =
  { "#blank" }
  { "#comment" = "## Path           : System/Management" }
  { "#comment" = "## Type           : string" }
  { "#comment" = "#" }
  { "DOCKER_OPTS" = "\"-s btrfs\"" }

test lns put suse after set "/DOCKER_OPTS" "\"-s vfs\"" = "
## Path           : System/Management
## Type           : string
#
DOCKER_OPTS=\"-s vfs\"
"

(* A new key goes to the end; odd blanks elsewhere stay. *)
test lns put "  A = 'x'  \n;c\n" after set "/DOCKER_OPTS" "\"-D\"" = "  A = 'x'  \n;c\nDOCKER_OPTS=\"-D\"\n"

(* Values in all forms. *)
test lns get "A=\n" = { "A" = "" }
test lns get "A=  \n" = { "A" = "" }
test lns get "A=bare words  \n" = { "A" = "bare words" }
test lns get "A='it' \"is\" one\n" = { "A" = "'it' \"is\" one" }
test lns get "A=\"a\\\"b\"\n" = { "A" = "\"a\\\"b\"" }
test lns get "A=a\\\nb\n" = { "A" = "a\\\nb" }
test lns get "A=\"a\nb\"\n" = { "A" = "\"a\nb\"" }
test lns get "A=\"a\" # why\n" = { "A" = "\"a\" # why" }
test lns get "A=it's\n" = { "A" = "it's" }
test lns get "A=\"x\"\r\n" = { "A" = "\"x\"" }

(* What systemd skips. *)
test lns get "export A=1\n" = { "#other" = "export A=1" }
test lns get "no assignment\n" = { "#other" = "no assignment" }
test lns get "1A=x\n" = { "#other" = "1A=x" }

(* Twice is two nodes; the last one counts. *)
test lns get "A=1\nA=2\n" = { "A" = "1" } { "A" = "2" }

(* A quote that does not end is an error, not a guess. *)
test lns get "A=\"x\nB=1\n" = *
test lns put "A=1\n" after set "/A" "\"x" = *
test lns put "A=1\n" after set "/A" "x\ny" = *
