//! What a command line says is to be reported.

use mizzen_status::{Health, Notice, Progress, REPORT_MAX, Report};
use serde_json::Value;

pub(super) const USAGE_TEXT: &str = "usage: mizzen-supervisor report
  [--phase WORD] [--progress DONE[/TOTAL]] [--message TEXT] [--health WORD]
  [--service NAME=STATE]... [--warning TEXT]... [--error TEXT]...
  [--custom NAME=JSON]... [--clear]";

/// The addition that these words ask for; what makes no sense is named.
pub(super) fn parse(words: impl IntoIterator<Item = String>) -> Result<Report, String> {
    let mut words = words.into_iter();
    let mut report = Report::default();
    let mut progress = Progress::default();
    while let Some(option) = words.next() {
        if option == "--clear" {
            report.clear = true;
            continue;
        }
        let (option, value) = match option.split_once('=') {
            Some((option, value)) if option.starts_with("--") => {
                (option.to_owned(), value.to_owned())
            }
            _ if is_option(&option) => {
                let value = words
                    .next()
                    .ok_or_else(|| format!("{option} needs a value"))?;
                (option, value)
            }
            _ => return Err(format!("it does not know {option}")),
        };
        put(&mut report, &mut progress, &option, value)?;
    }
    if progress != Progress::default() {
        report.progress = Some(progress);
    }
    if report == Report::default() {
        return Err("there is nothing to report".to_owned());
    }
    let size = serde_json::to_vec(&report).map_or(0, |text| text.len() as u64);
    match size > REPORT_MAX {
        true => Err(format!(
            "that is {size} bytes; at most {REPORT_MAX} at once"
        )),
        false => Ok(report),
    }
}

const OPTIONS: [&str; 8] = [
    "--phase",
    "--progress",
    "--message",
    "--health",
    "--service",
    "--warning",
    "--error",
    "--custom",
];

fn is_option(word: &str) -> bool {
    OPTIONS.contains(&word)
}

fn put(
    report: &mut Report,
    progress: &mut Progress,
    option: &str,
    value: String,
) -> Result<(), String> {
    match option {
        "--phase" => report.phase = Some(word(option, value)?),
        "--health" => report.health = Some(Health::from(word(option, value)?)),
        "--message" => progress.message = Some(value),
        "--progress" => (progress.current, progress.total) = amounts(&value)?,
        "--warning" => report.warnings.push(notice(option, value)?),
        "--error" => report.errors.push(notice(option, value)?),
        "--service" => {
            let (name, state) = pair(option, &value)?;
            let [name, state] = [name, state].map(|it| word(option, it.to_owned()));
            report.services.insert(name?, state?);
        }
        "--custom" => {
            let (name, json) = pair(option, &value)?;
            let json: Value = serde_json::from_str(json)
                .map_err(|error| format!("--custom {name}: that is no JSON ({error}); a text needs quotes: '{name}=\"text\"'"))?;
            report.custom.insert(name.to_owned(), json);
        }
        _ => return Err(format!("it does not know {option}")),
    }
    Ok(())
}

fn word(option: &str, value: String) -> Result<String, String> {
    let fits = !value.is_empty() && !value.chars().any(char::is_control);
    let short = value.chars().count() <= 64;
    (fits && short)
        .then_some(value)
        .ok_or_else(|| format!("{option} takes one line of at most 64 characters"))
}

fn pair<'a>(option: &str, value: &'a str) -> Result<(&'a str, &'a str), String> {
    let pair = value.split_once('=').filter(|(name, _)| !name.is_empty());
    pair.ok_or_else(|| format!("{option} takes NAME=VALUE, not `{value}`"))
}

fn notice(option: &str, message: String) -> Result<Notice, String> {
    let notice = Notice {
        timestamp: None,
        message,
    };
    (!notice.message.trim().is_empty())
        .then_some(notice)
        .ok_or_else(|| format!("{option} takes a text"))
}

/// `45/100`, or `45` where nobody knows how much there is.
fn amounts(value: &str) -> Result<(Option<f64>, Option<f64>), String> {
    let amount = |text: &str| {
        let amount = text.trim().parse::<f64>().ok();
        amount.filter(|it| it.is_finite() && *it >= 0.0)
    };
    let (done, total) = match value.split_once('/') {
        Some((done, total)) => (amount(done), Some(amount(total))),
        None => (amount(value), None),
    };
    match (done, total) {
        (Some(done), None) => Ok((Some(done), None)),
        (Some(done), Some(Some(total))) => Ok((Some(done), Some(total))),
        _ => Err(format!(
            "--progress takes DONE/TOTAL, as 45/100, not `{value}`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::parse;

    fn parsed(words: &[&str]) -> Result<serde_json::Value, String> {
        parse(words.iter().map(|word| (*word).to_owned())).map(|report| json!(report))
    }

    #[test]
    fn words_become_fields_of_the_report() {
        for (words, expected) in [
            (
                &[
                    "--phase",
                    "building",
                    "--progress",
                    "45/100",
                    "--message",
                    "Compiling",
                ][..],
                json!({"phase": "building", "progress": {"current": 45.0, "total": 100.0, "message": "Compiling"}}),
            ),
            (&["--progress=7"], json!({"progress": {"current": 7.0}})),
            (
                &["--service", "db=running", "--service=web=a=b"],
                json!({"services": {"db": "running", "web": "a=b"}}),
            ),
            (
                &["--warning", "--odd", "--error=e", "--health", "degraded"],
                json!({"health": "degraded", "errors": [{"message": "e"}], "warnings": [{"message": "--odd"}]}),
            ),
            (
                &["--custom", r#"tests={"passed":142}"#],
                json!({"custom": {"tests": {"passed": 142}}}),
            ),
            (&["--clear"], json!({"clear": true})),
        ] {
            assert_eq!(parsed(words), Ok(expected), "{words:?}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (words, expected) in [
            (&[][..], "there is nothing to report"),
            (&["--phase"], "--phase needs a value"),
            (
                &["--phase", "a\nb"],
                "--phase takes one line of at most 64 characters",
            ),
            (&["--phases", "a"], "it does not know --phases"),
            (&["--phases=a"], "it does not know --phases"),
            (&["build"], "it does not know build"),
            (
                &["--progress", "-1/5"],
                "--progress takes DONE/TOTAL, as 45/100, not `-1/5`",
            ),
            (
                &["--progress", "1e999"],
                "--progress takes DONE/TOTAL, as 45/100, not `1e999`",
            ),
            (&["--service", "db"], "--service takes NAME=VALUE, not `db`"),
            (&["--error", " "], "--error takes a text"),
        ] {
            assert_eq!(parsed(words), Err(expected.to_owned()), "{words:?}");
        }
        let text = parsed(&["--custom", "a=b"]).unwrap_err();
        assert!(
            text.ends_with("a text needs quotes: 'a=\"text\"'"),
            "{text}"
        );
        let long = "x".repeat(70_000);
        let long = parsed(&["--message", &long]).unwrap_err();
        assert!(long.ends_with("at most 65536 at once"), "{long}");
    }
}
