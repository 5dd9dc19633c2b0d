# Sourced by the other scripts: the root of the work tree, where tools are, and how to speak.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

# Tools that `make setup` put into the work tree or the home directory come first; daemons are
# outside an ordinary user's PATH.
PATH=$root/target/tools/bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH:/usr/sbin
export PATH

say() { printf 'setup: %s\n' "$*" >&2; }

# Ends with one sentence, and the commands that a person is to type, if any.
fail() {
  say "$1"
  shift
  [ $# -eq 0 ] || printf '\n    %s\n' "$@" >&2
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

is_root() { [ "$(id -u)" -eq 0 ]; }

# Whether version $1 is at least $2, compared number by number.
at_least() { [ "$(printf '%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }
