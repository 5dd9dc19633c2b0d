use super::{Cause, Ending, Input, Next, Seen, State, Wanted, Wish, Work, after_work, next_state};

/// Every state against every wish. Capital letters begin work; `!` interrupts what is under way.
const WISHES: &str = "
            start   stop      pause   resume  restart    rm       rm-force
creating    join    refuse:C  wait    wait    wait       refuse:U !remove
starting    join    !stop     wait    wait    wait       refuse:U !remove
running     done    STOP      PAUSE   done    STOP+START refuse:U REMOVE
pausing     wait    wait      join    wait    wait       refuse:U wait
paused      RESUME  STOP      done    RESUME  STOP+START refuse:U REMOVE
resuming    join    wait      wait    join    wait       refuse:U wait
stopping    wait    join      refuse:N refuse:N wait     wait     wait
stopped     START   done      refuse:N refuse:N START    REMOVE   REMOVE
removing    wait     refuse:R refuse:R refuse:R refuse:R join     join
failed      START   done      refuse:N refuse:N START    REMOVE   REMOVE
lost        refuse:E refuse:E refuse:E refuse:E refuse:E refuse:E refuse:E
";

/// Every state against everything an engine can say, of a session that should be up.
const SEEN_WANTED_UP: &str = "
            running  paused  made     clean            oom             code          gone           elsewhere        unreachable
creating    -        -       -        -                -               -             -              -                -
starting    -        -       -        -                -               -             -              -                -
running     -        paused  stopped  stopped(outside) failed(oom)     failed(died)  failed(gone)   lost(elsewhere)  lost(engine)
pausing     -        -       -        -                -               -             -              -                -
paused      running  -       stopped  stopped(outside) failed(oom)     failed(died)  failed(gone)   lost(elsewhere)  lost(engine)
resuming    -        -       -        -                -               -             -              -                -
stopping    -        -       -        -                -               -             -              -                -
stopped     running  paused  -        -                -               -             stopped(gone)  lost(elsewhere)  lost(engine)
removing    -        -       -        -                -               -             -              -                -
failed      running  paused  -        -                -               -             -              lost(elsewhere)  lost(engine)
lost        running  paused  stopped  stopped(outside) failed(oom)     failed(died)  failed(gone)   lost(elsewhere)  lost(engine)
";

const WISH_COLUMNS: [(&str, Wish); 7] = [
    ("start", Wish::Start),
    ("stop", Wish::Stop),
    ("pause", Wish::Pause),
    ("resume", Wish::Resume),
    ("restart", Wish::Restart),
    (
        "rm",
        Wish::Remove {
            force: false,
            volumes: false,
        },
    ),
    (
        "rm-force",
        Wish::Remove {
            force: true,
            volumes: false,
        },
    ),
];

const SEEN_COLUMNS: [(&str, Seen); 9] = [
    ("running", Seen::Running),
    ("paused", Seen::Paused),
    ("made", Seen::Made),
    ("clean", Seen::Ended(Ending::Clean)),
    ("oom", Seen::Ended(Ending::OutOfMemory)),
    ("code", Seen::Ended(Ending::Code(1))),
    ("gone", Seen::Gone),
    ("elsewhere", Seen::Elsewhere),
    ("unreachable", Seen::Unreachable),
];

const STATES: [(&str, State); 11] = [
    ("creating", State::Creating),
    ("starting", State::Starting),
    ("running", State::Running),
    ("pausing", State::Pausing),
    ("paused", State::Paused),
    ("resuming", State::Resuming),
    ("stopping", State::Stopping),
    ("stopped", State::Stopped),
    ("removing", State::Removing),
    ("failed", State::Failed),
    ("lost", State::Lost),
];

fn work(work: Work) -> &'static str {
    match work {
        Work::Start => "START",
        Work::Stop => "STOP",
        Work::Pause => "PAUSE",
        Work::Resume => "RESUME",
        Work::Remove => "REMOVE",
    }
}

fn name(state: State) -> &'static str {
    STATES
        .iter()
        .find(|(_, s)| *s == state)
        .expect("every state has a name")
        .0
}

fn cell(next: Next) -> String {
    match next {
        Next::Begin(begun) => work(begun).to_owned(),
        Next::Interrupt(begun) => format!("!{}", work(begun).to_lowercase()),
        Next::StopThenStart => "STOP+START".to_owned(),
        Next::Join => "join".to_owned(),
        Next::Wait => "wait".to_owned(),
        Next::Done => "done".to_owned(),
        Next::Refuse(refusal) => format!("refuse:{}", refusal_letter(refusal)),
        Next::Become(state, None) => name(state).to_owned(),
        Next::Become(state, Some(cause)) => format!("{}({})", name(state), cause_word(cause)),
        Next::Stay => "-".to_owned(),
    }
}

fn refusal_letter(refusal: super::Refusal) -> char {
    match refusal {
        super::Refusal::BeingCreated => 'C',
        super::Refusal::InUse => 'U',
        super::Refusal::NotRunning => 'N',
        super::Refusal::BeingRemoved => 'R',
        super::Refusal::EngineUnreachable => 'E',
    }
}

fn cause_word(cause: Cause) -> &'static str {
    match cause {
        Cause::StoppedOutside => "outside",
        Cause::OutOfMemory => "oom",
        Cause::Died(_) => "died",
        Cause::Gone => "gone",
        Cause::Elsewhere => "elsewhere",
        Cause::Unreachable => "engine",
    }
}

/// Compares a table with the machine, cell by cell; a missing row, column or cell fails.
fn check<C: Copy>(table: &str, columns: &[(&str, C)], input: impl Fn(C) -> Input) {
    let mut lines = table.trim_matches('\n').lines();
    let head: Vec<&str> = lines.next().expect("a head").split_whitespace().collect();
    assert_eq!(
        head,
        columns.iter().map(|(n, _)| *n).collect::<Vec<_>>(),
        "columns"
    );
    let rows: Vec<Vec<&str>> = lines
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), STATES.len(), "one row a state");
    for (row, (state_name, state)) in rows.iter().zip(STATES) {
        assert_eq!(row[0], state_name);
        assert_eq!(
            row.len(),
            columns.len() + 1,
            "{state_name} has a cell for every column"
        );
        for (expected, (column, value)) in row[1..].iter().zip(columns) {
            assert_eq!(
                cell(next_state(state, input(*value))),
                *expected,
                "{state_name} x {column}"
            );
        }
    }
}

#[test]
fn every_state_answers_every_wish() {
    check(WISHES, &WISH_COLUMNS, Input::Wish);
}

#[test]
fn every_state_follows_the_engine() {
    check(SEEN_WANTED_UP, &SEEN_COLUMNS, |seen| {
        Input::Seen(seen, Wanted::Up)
    });
}

#[test]
fn an_end_that_was_wished_is_no_failure() {
    for (what, seen) in SEEN_COLUMNS {
        let expected = match seen {
            Seen::Running => "running",
            Seen::Paused => "paused",
            Seen::Made | Seen::Ended(_) => "stopped",
            Seen::Gone => "stopped(gone)",
            Seen::Elsewhere => "lost(elsewhere)",
            Seen::Unreachable => "lost(engine)",
        };
        assert_eq!(
            cell(next_state(State::Lost, Input::Seen(seen, Wanted::Down))),
            expected,
            "lost x {what}"
        );
    }
}

#[test]
fn what_is_wanted_matters_only_after_a_loss() {
    for (state_name, state) in STATES.into_iter().filter(|(_, s)| *s != State::Lost) {
        for (what, seen) in SEEN_COLUMNS {
            let up = next_state(state, Input::Seen(seen, Wanted::Up));
            assert_eq!(
                up,
                next_state(state, Input::Seen(seen, Wanted::Down)),
                "{state_name} x {what}"
            );
        }
    }
}

#[test]
fn work_that_a_wish_begins_stands_in_a_busy_state() {
    for work in [
        Work::Start,
        Work::Stop,
        Work::Pause,
        Work::Resume,
        Work::Remove,
    ] {
        assert!(work.state().is_busy(), "{work:?}");
    }
}

/// Where a session stands after each work, done or `not`, by what the engine says then.
const AFTER_WORK: &str = "
            running  paused  made     clean            oom          code         gone          elsewhere        unreachable
start       running  paused  stopped  stopped(outside) failed(oom)  failed(died) failed(gone)  lost(elsewhere)  lost(engine)
start-not   running  paused  failed   failed           failed       failed       failed        lost(elsewhere)  lost(engine)
stop        running  paused  stopped  stopped          stopped      stopped      stopped(gone) lost(elsewhere)  lost(engine)
stop-not    running  paused  stopped  stopped          stopped      stopped      stopped(gone) lost(elsewhere)  lost(engine)
pause       running  paused  stopped  stopped(outside) failed(oom)  failed(died) failed(gone)  lost(elsewhere)  lost(engine)
pause-not   running  paused  stopped  stopped(outside) failed(oom)  failed(died) failed(gone)  lost(elsewhere)  lost(engine)
resume      running  paused  stopped  stopped(outside) failed(oom)  failed(died) failed(gone)  lost(elsewhere)  lost(engine)
resume-not  running  paused  stopped  stopped(outside) failed(oom)  failed(died) failed(gone)  lost(elsewhere)  lost(engine)
remove      running  paused  stopped  stopped          stopped      stopped      stopped       lost(elsewhere)  lost(engine)
remove-not  running  paused  failed   failed           failed       failed       failed        lost(elsewhere)  lost(engine)
";

#[test]
fn after_work_a_session_stands_where_its_container_does() {
    let works = [
        ("start", Work::Start),
        ("stop", Work::Stop),
        ("pause", Work::Pause),
        ("resume", Work::Resume),
        ("remove", Work::Remove),
    ];
    let mut lines = AFTER_WORK.trim_matches('\n').lines();
    let head: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(head, SEEN_COLUMNS.map(|(name, _)| name), "columns");
    for line in lines {
        let row: Vec<&str> = line.split_whitespace().collect();
        let (name, done) = row[0]
            .strip_suffix("-not")
            .map_or((row[0], true), |name| (name, false));
        let work = works.iter().find(|(n, _)| *n == name).unwrap().1;
        assert_eq!(row.len(), SEEN_COLUMNS.len() + 1, "{line}");
        for (expected, (column, seen)) in row[1..].iter().zip(SEEN_COLUMNS) {
            let (state, cause) = after_work(work, done, seen);
            assert_eq!(
                cell(Next::Become(state, cause)),
                *expected,
                "{} x {column}",
                row[0]
            );
        }
    }
}
