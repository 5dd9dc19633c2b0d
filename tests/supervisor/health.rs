//! A project's own service is asked how it is, where its `mizzen.toml` says.

use std::fs;

use mizzen_fsx::write_atomic_with;
use mizzen_status::{Health, Notice, Status};

use crate::rig::{docker, ready};

const SERVICE: &str = "health check";

/// Answers every request, and writes down which: 302 to another place while there is a file `/tmp/moved`, 503 while there
/// is `/tmp/ill`, else 200.
const SERVER: &str = r#"
    use IO::Socket::INET;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 3000, Listen => 5, ReuseAddr => 1) or die;
    while (my $client = $listener->accept) {
        my $asked = <$client>;
        open(my $list, '>>', '/tmp/asked'); print $list $asked; close $list;
        while (my $line = <$client>) { last if $line =~ /^\r?\n/ }
        print $client $asked =~ m|elsewhere| ? "HTTP/1.1 200 OK\r\n\r\n"
            : -e '/tmp/moved' ? "HTTP/1.1 302 Found\r\nLocation: http://localhost:3000/elsewhere\r\n\r\n"
            : -e '/tmp/ill' ? "HTTP/1.1 503 Busy\r\n\r\n" : "HTTP/1.1 200 OK\r\n\r\n";
        close $client;
    }
"#;

#[test]
fn a_projects_service_is_waited_for_watched_and_forgotten() {
    let (reports, workspace, container) = ready();
    let settings = workspace.path().join("mizzen.toml");
    let say = |endpoint: &str| {
        let text = format!("[health]\nendpoint = \"{endpoint}\"\n");
        write_atomic_with(&settings, text.as_bytes(), 0o644, None).unwrap();
    };
    let is = |word: &'static str| {
        reports.until(word, |status| {
            status.services.get(SERVICE).map(String::as_str) == Some(word)
        })
    };

    say("http://localhost:3000/health");
    let waiting = is("waiting");
    assert!(waiting.errors.is_empty(), "{waiting:?}");
    docker(&["exec", "--detach", &container.id, "perl", "-e", SERVER]);
    assert_eq!(is("healthy").health, Some(Health::Healthy));

    container.exec(&["touch", "/tmp/ill"]);
    let ill = is("unhealthy");
    assert_eq!(ill.health, Some(Health::Degraded));
    assert_eq!(
        ill.errors[0].message,
        "http://localhost:3000/health answers 503"
    );

    // Row 25: an answer may not lead anywhere.
    container.exec(&["touch", "/tmp/moved"]);
    let moved = "http://localhost:3000/health answers 302";
    reports.until("moved", |status| {
        status.errors.iter().any(|error| error.message == moved)
    });
    let asked = container.exec(&["cat", "/tmp/asked"]);
    assert!(!asked.contains("elsewhere"), "{asked}");

    say("http://169.254.169.254/");
    let warned = |status: &Status| {
        let about = |notice: &&Notice| notice.message.contains("[health]");
        status.warnings.iter().find(about).cloned()
    };
    let refused = reports.until("refused", |status| warned(status).is_some());
    let known = refused.services.contains_key(SERVICE) || !refused.errors.is_empty();
    assert!(!known, "{refused:?}");
    let why = warned(&refused).unwrap().message;
    assert!(why.contains("only localhost"), "{why}");

    fs::remove_file(&settings).unwrap();
    reports.until("forgotten", |status| warned(status).is_none());
}
