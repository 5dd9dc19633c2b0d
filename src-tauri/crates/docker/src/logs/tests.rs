use super::*;

const TIME: &str = "2026-01-02T03:04:05.000000006Z";

fn messages(payloads: &[&str]) -> Vec<LogLine> {
    let (mut line, mut ready) = (Line::new(LogSource::Stdout), VecDeque::new());
    for payload in payloads {
        line.message(payload.as_bytes(), &mut ready);
    }
    line.end(&mut ready);
    ready.into()
}

fn texts(lines: &[LogLine]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

#[test]
fn the_engine_s_time_is_taken_off_each_part_of_a_line() {
    let part = "x".repeat(ENGINE_PART);
    let lines = messages(&[
        &format!("{TIME} {part}"),
        &format!("{TIME} end\n"),
        "next\n",
    ]);
    assert_eq!(texts(&lines), [format!("{part}end"), "next".to_owned()]);
    assert_eq!(lines[0].at, TIME.parse().ok());
}

#[test]
fn a_last_part_without_its_line_end_still_ends_the_line() {
    let part = "x".repeat(ENGINE_PART);
    let lines = messages(&[&format!("{TIME} {part}"), &format!("{TIME} end"), "next\n"]);
    assert_eq!(texts(&lines), [format!("{part}end"), "next".to_owned()]);
}

#[test]
fn text_that_looks_like_a_time_stays() {
    let line = format!("{TIME} {TIME} said the program\n");
    assert_eq!(
        texts(&messages(&[&line])),
        [format!("{TIME} said the program")]
    );
}

#[test]
fn empty_lines_and_foreign_line_ends_are_kept_and_cleaned() {
    let first = format!("{TIME} \n");
    let second = format!("{TIME} a\r\n");
    assert_eq!(texts(&messages(&[&first, &second])), ["", "a"]);
}

#[test]
fn bytes_that_are_no_text_do_no_harm() {
    let (mut line, mut ready) = (Line::new(LogSource::Stderr), VecDeque::new());
    line.push(b"a\xff\xfeb\n", &mut ready);
    assert_eq!(ready[0].text, "a\u{fffd}\u{fffd}b");
}

#[test]
fn a_line_of_exactly_the_cap_is_cut_once() {
    let (mut line, mut ready) = (Line::new(LogSource::Stdout), VecDeque::new());
    line.push(&vec![b'x'; LINE_CAP], &mut ready);
    line.push(b"\n", &mut ready);
    let shape: Vec<_> = ready.iter().map(|l| (l.text.len(), l.cut)).collect();
    assert_eq!(shape, [(LINE_CAP, true), (0, false)]);
}

#[test]
fn the_request_says_what_is_wanted() {
    let options = LogOptions {
        tail: Some(7),
        follow: true,
        since: Some("1970-01-02T00:00:00.5Z".parse().expect("a time")),
    };
    assert_eq!(
        query(options, false),
        "stdout=true&stderr=true&follow=true&tail=7&since=86400.500000000&timestamps=true"
    );
    let all = LogOptions {
        tail: None,
        follow: false,
        since: None,
    };
    assert_eq!(
        query(all, true),
        "stdout=true&stderr=true&follow=false&tail=all&since=0&timestamps=false"
    );
}
