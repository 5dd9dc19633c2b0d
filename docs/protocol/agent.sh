#!/bin/sh
# A small agent of the status protocol: POSIX sh, and what every small system has. It reports every five seconds, runs
# what commands.json asks for, each command once, and ends in good order. Reading JSON takes jq: without it nothing is
# run, and a warning says so. A script says what it is about in one line of $dir/.phase, which the heartbeat keeps.
set -u
dir=/para/status
[ -d "$dir" ] || dir=/workspace/.para/state/docker/${PARA_SESSION_NAME:?names the session}
logs=$dir/logs ledger=$dir/logs/commands.jsonl own=$dir/.agent
# The ledger loses what is old, and a line that a crash cut off ends here.
mkdir -p "$logs" "$own" && rm -f "$own"/* && touch "$ledger" && { tail -n 1000 "$ledger" && echo; } > "$own/ledger" &&
    mv -f "$own/ledger" "$ledger" || exit 1
status=running seq=0 beat=0 acks='[]' running='' ending='' end='' warnings='[]'
command -v jq > /dev/null || { warnings='["commands are not run: this image has no jq"]'; jq() { return 1; }; }

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
clock() { date +%s; }
to_disk() { sync "$1" 2> /dev/null || sync; }
# report [FINAL]: whole files only, so another file beside it takes its name. The phase becomes plain text in JSON.
report() {
    seq=$((seq + 1)) beat=$(clock) phase=$status next=$dir/.status.json.tmp
    [ ! -f "$dir/.phase" ] ||
        phase=$(head -n 1 "$dir/.phase" | LC_ALL=C tr -cd ' -~' | cut -c 1-64 | sed 's/[\\"]/\\&/g')
    printf '{"schema":1,"seq":%d,"timestamp":"%s","status":"%s","health":"healthy","phase":"%s","final":%s,
"errors":[],"warnings":%s,"commands":%s}\n' "$seq" "$(now)" "$status" "$phase" "${1:-false}" "$warnings" "$acks" \
        > "$next" && to_disk "$next" && mv -f "$next" "$dir/status.json"
}

# The last word on each command, the oldest command first.
past() {
    jq -c -n -R '[inputs | fromjson? | objects | select(.id and .state)]
        | reduce .[] as $it ({}; .[$it.id] = $it) | [.[]]' "$ledger"
}
# note ID STATE [MORE]: what has become of a command is on the disk before anything else is done, and is told at once.
note() {
    printf '{"id":"%s","state":"%s"%s}\n' "$1" "$2" "${3:-}" >> "$ledger" && to_disk "$ledger" || return
    acks=$(past | jq -c '.[-164:]') beat=0
}
refuse() { note "$1" rejected ",\"error\":\"$2\""; }

# The queue as calls of `take`, in the order in which it is to be carried out. Words stay words, whatever is in them.
plan='
    def exec: "exec", ([.timeout_seconds // 300, 86400] | min | floor), (.working_dir // "/workspace");
    def verdict:
        if (.expires_at // "~") < $now then ["expired"]
        elif .type == "signal" then ["signal", .signal, .target]
        elif .type != "exec" then ["refuse", "unsupported: this type"]
        elif (.timeout_seconds // 300) < 1 then ["refuse", "a time-out takes a second at least"]
        elif (.env // {}) != {} then ["refuse", "unsupported: variables"]
        elif .shell == true then [exec, "sh", "-c", .command, "sh", (.args // [])[]]
        elif .command | test("[\"\u0027\\\\]") then ["refuse", "unsupported: quotes without a shell"]
        else [exec, (.command | scan("\\S+")), (.args // [])[]] end;
    (.processed // []) as $seen | [.commands[] | objects
        | select(.id | type == "string" and test("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"))
        | select(.id as $id | $seen | index($id) | not)]
    | sort_by(.type != "signal", ({high: 0, low: 2}[.priority // "" | tostring] // 1), .seq // 0) | .[:100][]
    | (try verdict catch ["refuse", "unsupported: this form"]) as $what
    | @sh "take \(.id) \($what | map(. // "" | tostring))"'
look() {
    [ -f "$dir/commands.json" ] && [ ! -L "$dir/commands.json" ] &&
        calls=$(head -c 262144 "$dir/commands.json" | jq -r --arg now "$(now)" "$plan" 2> /dev/null) && eval "$calls"
}
take() {
    ! grep -q -F "\"id\":\"$1\"" "$ledger" || return 0
    case $2:${3:-} in
        exec:*) [ -n "$running$end" ] || start "$@" ;;
        signal:report_now) note "$1" succeeded ;;
        signal:shutdown) end=asked; note "$1" succeeded ;;
        signal:cancel) [ "${4:--}" = "$running" ] && ending=killed limit=0 && note "$1" succeeded ||
            refuse "$1" "its target does not run" ;;
        signal:*) refuse "$1" "unsupported: this signal" ;;
        refuse:*) refuse "$1" "$3" ;;
        expired:*) note "$1" expired ;;
    esac
}
# start ID exec SECONDS DIRECTORY WORD...: links lead where they lead, and the real place has to be in the workspace.
start() {
    id=$1 limit=$3 place=$(cd -P -- "$4" 2> /dev/null && pwd)
    case $place/ in /workspace/*) ;; *) refuse "$id" "no directory of the workspace"; return ;; esac
    shift 4
    since=$(now) limit=$(($(clock) + limit)) ask=TERM
    note "$id" running ",\"started_at\":\"$since\",\"log\":\"$id.log\"" || return
    running=$id
    # In a session of its own, so that all that it starts can be ended with it. 10 MiB of its output are kept.
    ( cd "$place" || exit
        { setsid sh -c 'echo $$ > "$0"; exec "$@"' "$own/$id.pid" "$@" 2>&1; echo $? > "$own/$id.code"; } |
            { head -c 10485760; cat > /dev/null; } > "$logs/$id.log"
        mv "$own/$id.code" "$own/$id.exit" ) &
}
# Notes the end of the command that runs, and ends it when its time is over: it is asked to, and made to 10 s later.
follow() {
    [ -n "$running" ] || return 0
    if [ -f "$own/$running.exit" ]; then
        code=$(cat "$own/$running.exit") state=failed
        [ "$code" != 0 ] || state=succeeded
        note "$running" "${ending:-$state}" ",\"exit_code\":$code,\"log\":\"$running.log\",\"started_at\":\"$since\",\
\"finished_at\":\"$(now)\"" && rm -f "$own"/* && running='' ending=''
    elif [ -s "$own/$running.pid" ] && [ "$(clock)" -ge "$limit" ]; then
        kill "-$ask" "-$(cat "$own/$running.pid")" 2> /dev/null
        ending=${ending:-timed_out} ask=KILL limit=$(($(clock) + 10))
    fi
}
# Begun in an earlier life and never ended: told so, and not run again.
for id in $(past | jq -r '.[] | select(.state == "running").id'); do note "$id" interrupted; done
trap 'end=told' TERM INT
while [ -z "$end" ]; do
    follow
    look
    [ $(($(clock) - beat)) -lt 5 ] || report
    [ -n "$end" ] || sleep 1
done
status=stopping limit=0 ending=${running:+${ending:-killed}}
rm -f "$dir/.phase"
report
for left in 1 2 3 4 5 6 7 8; do
    [ -z "$running" ] || { follow; sleep 1; }
done
# All other processes of the container, when this is its first.
[ $$ != 1 ] || kill -TERM -1 2> /dev/null
status=stopped
report true
