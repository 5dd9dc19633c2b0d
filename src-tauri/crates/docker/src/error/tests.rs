use super::DockerErrorKind as Kind;
use super::*;

#[test]
fn statuses_and_wordings_of_the_engine() {
    for (status, text, kind) in [
        (404, "No such image: nope:latest", Kind::ImageMissing),
        (404, "No such container: x", Kind::NotFound),
        (404, "network x not found", Kind::NotFound),
        (
            409,
            "Conflict. The container name \"/a\" is already in use by container \"b\".",
            Kind::NameTaken,
        ),
        (409, "network with name n already exists", Kind::NameTaken),
        (
            409,
            "Container abc is paused, unpause the container before exec",
            Kind::Conflict,
        ),
        (409, "Container abc is not running", Kind::Conflict),
        (
            500,
            "driver failed programming external connectivity: Bind for 0.0.0.0:1 failed: port is already allocated",
            Kind::PortTaken,
        ),
        (
            500,
            "listen tcp4 127.0.0.1:80: bind: address already in use",
            Kind::PortTaken,
        ),
        (
            400,
            "invalid mount config for type \"bind\": bind source path does not exist: /nope",
            Kind::MountMissing,
        ),
        (
            500,
            "write /var/lib/docker/tmp/x: no space left on device",
            Kind::NoSpace,
        ),
        (
            500,
            "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
            Kind::NoAddresses,
        ),
        (
            400,
            "all predefined address pools have been fully subnetted",
            Kind::NoAddresses,
        ),
        (400, "invalid reference format", Kind::BadRequest),
        (403, "authorization denied by plugin", Kind::Denied),
        (500, "", Kind::Server),
        (503, "busy", Kind::Server),
    ] {
        assert_eq!(kind_of_status(status, text), kind, "{status} {text}");
    }
}

#[test]
fn a_dial_that_fails_names_the_next_step() {
    for (cause, kind, hint) in [
        (io::ErrorKind::NotFound, Kind::Unreachable, "install Docker"),
        (
            io::ErrorKind::ConnectionRefused,
            Kind::Unreachable,
            "start the engine",
        ),
        (
            io::ErrorKind::PermissionDenied,
            Kind::Denied,
            "docker group",
        ),
        (
            io::ErrorKind::HostUnreachable,
            Kind::Unreachable,
            "docker info",
        ),
    ] {
        let error = DockerError::no_connection("list containers", &io::Error::from(cause));
        assert_eq!(error.kind, kind, "{cause}");
        assert!(error.hint().contains(hint), "{cause}: {}", error.hint());
    }
}

#[test]
fn the_sentence_says_what_was_tried_and_why_it_failed() {
    let error = DockerError::from_status("create the container", 404, "No such image: a:b");
    assert_eq!(
        error.to_string(),
        "could not create the container: No such image: a:b"
    );
    let empty = DockerError::from_status("start the container", 500, "");
    assert_eq!(
        empty.to_string(),
        "could not start the container: the engine answered with status 500"
    );
}

#[test]
fn an_endless_message_is_cut() {
    let error = DockerError::from_status("list containers", 500, &"é".repeat(100_000));
    assert_eq!(error.message.chars().count(), MESSAGE_CAP);
}
