#!/bin/sh
# An agent of the status protocol for any image: POSIX sh, and what every small system has. It reports every five seconds,
# runs what commands.json asks for, each command once, and ends in good order. Commands need jq: reading JSON with less
# would not be honest, so without jq it only reports, and says so in a warning.
#
# A script says what it is about in one line of $dir/.phase and of $dir/.message; the heartbeat keeps both.
set -u
umask 027

dir=/para/status
[ -d "$dir" ] || dir=/workspace/.para/state/docker/${PARA_SESSION_NAME:?names the session}
logs=$dir/logs
ledger=$logs/commands.jsonl
own=$dir/.agent
mkdir -p "$logs" "$own" && touch "$ledger" || exit 1
rm -f "$own"/* "$dir"/.status.json.*.tmp

seq=0 status=running acks='[]' running='' end='' limit=0 beat=0 warnings='[]'
jq=$(command -v jq) || warnings='["commands are not run: this image has no jq"]'

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
seconds() { date +%s; }

# A text as JSON: without control characters, with \ and " escaped.
text() {
    printf '"%s"' "$(printf '%s' "$1" | tr -d '\000-\037\177' | sed 's/\\/\\\\/g; s/"/\\"/g')"
}

line() { [ -f "$dir/$1" ] && head -n 1 "$dir/$1" | cut -c 1-64; }

# Whole files only: another file beside it takes its name.
report() {
    seq=$((seq + 1)) beat=$(seconds)
    phase=$(line .phase) || phase=$status
    message=$(line .message) || message=
    temp=$dir/.status.json.$seq.tmp
    printf '{"schema":1,"seq":%d,"timestamp":"%s","status":"%s","health":"healthy","phase":%s,
"progress":{"message":%s},"final":%s,"errors":[],"warnings":%s,"commands":%s}\n' \
        "$seq" "$(now)" "$status" "$(text "$phase")" "$(text "$message")" "${1:-false}" "$warnings" "$acks" \
        > "$temp" && mv -f "$temp" "$dir/status.json"
}

# What has become of a command, on the disk before anything else is done: note ID STATE [MORE]
note() {
    printf '{"id":"%s","state":"%s"%s}\n' "$1" "$2" "${3:-}" >> "$ledger"
    sync "$ledger" 2> /dev/null || sync
    acks=$(lines | "$jq" -c -s 'reduce .[] as $it ({}; .[$it.id] = $it) | [.[]] | .[-64:]')
}
lines() { "$jq" -c -R 'fromjson? | select(.id and .state)' "$ledger"; }
known() { grep -q -F "\"id\":\"$1\"" "$ledger"; }

# A field of a command: get ID FILTER
get() { "$jq" -r --arg id "$1" "first(.commands[] | select(.id == \$id)) | $2" "$own/queue"; }

# Ids that wait for their turn: signals first, then by priority and number.
waiting() {
    "$jq" -r '(.processed // []) as $seen
        | [.commands[] | select(.id | type == "string" and test("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"))
            | select(.id as $id | $seen | index($id) | not)]
        | sort_by(.type != "signal", ({high: 0, low: 2}[.priority // ""] // 1), .seq // 0) | .[0:100][].id' "$own/queue"
}

signal() {
    case $(get "$1" '.signal // ""') in
        report_now) note "$1" succeeded ;;
        shutdown) end=asked; note "$1" succeeded ;;
        cancel)
            if [ -n "$running" ] && [ "$(get "$1" '.target // ""')" = "$running" ]; then
                limit=0; note "$1" succeeded
            else
                note "$1" rejected ',"error":"its target does not run"'
            fi ;;
        *) note "$1" rejected ',"error":"unsupported: this signal"' ;;
    esac
}

# Words as they stand, unless a shell is asked for; quotes would need one.
start() {
    argv=$(get "$1" 'if .shell then ["sh", "-c", .command, "sh"] + (.args // [])
        elif .command | test("[\"\u0027\\\\]") then empty
        else (.command | split(" ") | map(select(. != ""))) + (.args // []) end | @sh' 2> /dev/null)
    place=$(get "$1" '.working_dir // "/workspace"')
    # Links lead where they lead: the real place has to be below the workspace.
    place=$(cd -P "$place" 2> /dev/null && pwd) || place=/
    case $place/ in /workspace/*) ;; *) note "$1" rejected ',"error":"no directory of the workspace"'; return ;; esac
    if [ -z "$argv" ] || [ "$(get "$1" '(.env // {}) == {}')" != true ]; then
        note "$1" rejected ',"error":"unsupported: quotes without a shell, and variables"'
        return
    fi
    eval "set -- $1 $argv"
    running=$1 started=$(now)
    limit=$(($(seconds) + $(get "$1" '[[.timeout_seconds // 300, 1] | max, 86400] | min | floor')))
    note "$1" running ",\"started_at\":\"$started\",\"log\":\"$1.log\""
    shift
    # In a session of its own, so that all that it starts can be ended with it. 10 MiB of its output are kept.
    (
        cd "$place" || exit 1
        { setsid sh -c 'echo $$ > "$0"; exec "$@"' "$own/pid" "$@" 2>&1; echo $? > "$own/code"; } |
            { head -c 10485760; cat > /dev/null; } > "$logs/$running.log"
        mv "$own/code" "$own/exit"
    ) &
}

# Looks after the command that runs.
follow() {
    [ -n "$running" ] || return 0
    if [ -f "$own/exit" ]; then
        code=$(cat "$own/exit") state=failed
        [ "$code" = 0 ] && state=succeeded
        [ -f "$own/ending" ] && state=$(cat "$own/ending")
        note "$running" "$state" ",\"exit_code\":$code,\"log\":\"$running.log\",\"started_at\":\"$started\",\"finished_at\":\"$(now)\""
        running=''
        rm -f "$own"/*
    elif [ "$(seconds)" -ge "$limit" ] && [ -f "$own/pid" ]; then
        [ "$limit" = 0 ] && word=killed || word=timed_out
        [ -f "$own/ending" ] || echo "$word" > "$own/ending"
        # Asked once; ten seconds later made to.
        [ -f "$own/asked" ] && kill -KILL "-$(cat "$own/pid")" 2> /dev/null
        [ -f "$own/asked" ] || kill -TERM "-$(cat "$own/pid")" 2> /dev/null
        touch "$own/asked"
        limit=$(($(seconds) + 10))
    fi
}

look() {
    [ -n "$jq" ] && [ -f "$dir/commands.json" ] && [ ! -L "$dir/commands.json" ] || return 0
    # The same words for all of one look; a file that is no queue is not used.
    head -c 262144 "$dir/commands.json" > "$own/queue"
    "$jq" -e '.commands | type == "array"' "$own/queue" > /dev/null 2>&1 || return 0
    for id in $(waiting); do
        known "$id" && continue
        case $(get "$id" '.type // ""') in
            signal) signal "$id" ;;
            exec) [ -n "$running" ] || [ -n "$end" ] || start "$id" ;;
            *) note "$id" rejected ',"error":"unsupported: this type"' ;;
        esac
    done
}

# Begun in an earlier life and never ended: told so, and not run again.
if [ -n "$jq" ]; then
    for id in $(lines | "$jq" -r -s 'reduce .[] as $it ({}; .[$it.id] = $it) | .[] | select(.state == "running").id'); do
        note "$id" interrupted
    done
fi

trap 'end=told' TERM INT
while [ -z "$end" ]; do
    before=$acks
    follow
    look
    [ "$before" = "$acks" ] && [ $(($(seconds) - beat)) -lt 5 ] || report
    [ -n "$end" ] || sleep 1
done

status=stopping
rm -f "$dir/.phase"
report
[ -n "$running" ] && limit=0
left=8
while [ -n "$running" ] && [ "$left" -gt 0 ]; do
    left=$((left - 1))
    follow
    sleep 1
done
# All other processes of the container, when this is its first.
[ $$ = 1 ] && kill -TERM -1 2> /dev/null
status=stopped
report true
