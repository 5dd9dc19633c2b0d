//! What a cycle made is not read again, unless somebody has been at it.

use std::time::SystemTime;

use super::*;

/// Well before whatever a test does.
fn long_ago() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000)
}

fn date(path: &Path, time: SystemTime) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

/// Two files that have just been carried, by a link that has not looked at them since.
fn carried(fixture: &Fixture) -> Link {
    for name in ["host/alone", "host/below/a"] {
        fixture.write(name, "one");
        date(&fixture.path(name), long_ago());
    }
    let mut link = fixture.link();
    let cycle = link.cycle(&Both::everything(), false).unwrap();
    assert_eq!(cycle.applied.container.done.len(), 2);
    link
}

#[test]
fn what_was_carried_is_not_read_where_it_came_to() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    let mut link = carried(&fixture);
    for _ in 0..2 {
        let cycle = link.cycle(&Both::everything(), false).unwrap();
        assert!(cycle.is_in_step());
        assert_eq!((cycle.hashed.host, cycle.hashed.container), (0, 0));
    }
    fixture.check_same(&["alone=one", "below/", "below/a=one"]);
}

#[test]
fn what_is_as_new_as_the_clock_can_tell_is_read() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a", "one");
    // A clock that is ahead says the same of what is written here afterwards.
    date(
        &fixture.path("host/a"),
        SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000),
    );
    let mut link = fixture.link();
    link.cycle(&Both::everything(), false).unwrap();
    let cycle = link.cycle(&Both::everything(), false).unwrap();
    assert_eq!(cycle.hashed.container, 1);
}

#[test]
fn what_somebody_writes_over_it_at_once_goes_back() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    let mut link = carried(&fixture);
    fixture.write("container/alone", "two");
    fixture.write("container/below/a", "two");
    link.cycle(&Both::everything(), false).unwrap();
    fixture.check_same(&["alone=two", "below/", "below/a=two"]);
}

#[test]
fn what_somebody_writes_over_it_and_dates_back_goes_back() {
    use std::os::unix::fs::MetadataExt;

    let fixture = Fixture::new(Mode::TwoWaySafe);
    let mut link = carried(&fixture);
    let path = fixture.path("container/alone");
    let changed = || {
        let stat = fs::metadata(&path).unwrap();
        (stat.ctime(), stat.ctime_nsec())
    };
    let made = changed();
    // The clock may have to move on first.
    while changed() == made {
        fixture.write("container/alone", "two");
        date(&path, long_ago());
    }
    link.cycle(&Both::everything(), false).unwrap();
    fixture.check_same(&["alone=two", "below/", "below/a=one"]);
}
