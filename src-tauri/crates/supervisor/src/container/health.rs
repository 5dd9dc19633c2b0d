//! Asks a project's own service how it is, where the project's `mizzen.toml` says so.

use std::io;
use std::path::Path;
use std::time::Duration;

use mizzen_status::{HealthEndpoint, project_health_endpoint};
use tokio::time::{sleep, timeout};

use super::board::{Board, Steady};
use super::{forward, http, places};

/// Its name among services, errors and warnings.
const HEALTH: &str = "health check";
/// Between two looks.
const EVERY: Duration = Duration::from_secs(5);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Asks until the task is stopped.
pub(crate) async fn keep(board: Board) {
    let mut asked: Option<(HealthEndpoint, Standing)> = None;
    loop {
        let told = match settings().await {
            Ok(Some(endpoint)) => {
                // Another address is another service.
                let known = asked.take().filter(|(before, _)| *before == endpoint);
                let (_, standing) =
                    asked.insert(known.unwrap_or((endpoint.clone(), Standing::default())));
                standing.next(&endpoint, ask(&endpoint).await)
            }
            Ok(None) => Told::default(),
            Err(why) => Told {
                warning: Some(why),
                ..Told::default()
            },
        };
        if told.service.is_none() {
            asked = None;
        }
        board.set_check(HEALTH, told.service, told.error, told.warning);
        sleep(EVERY).await;
    }
}

/// Off the runtime's thread: a disk that hangs must not stop PID 1.
async fn settings() -> Result<Option<HealthEndpoint>, String> {
    let read = || {
        let workspace = Path::new(places::WORKSPACE);
        match project_health_endpoint(workspace) {
            // That nobody can work there is said already.
            Err(_) if places::workspace_problem(workspace).is_some() => Ok(None),
            found => found.map_err(|error| error.to_string()),
        }
    };
    let read = tokio::task::spawn_blocking(read).await;
    read.expect("BUG: reading settings panicked")
}

async fn ask(endpoint: &HealthEndpoint) -> io::Result<u16> {
    let request = endpoint.request();
    let asked = async {
        let stream = forward::loopback(endpoint.port()).await?;
        http::status(stream, &request).await
    };
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no answer within a second");
    timeout(PATIENCE, asked).await.map_err(late)?
}

/// What is to be said of it.
#[derive(Debug, Default, PartialEq)]
struct Told {
    service: Option<&'static str>,
    error: Option<String>,
    warning: Option<String>,
}

/// How a service stands: it may take its time to start, and one bad answer is no illness.
#[derive(Default)]
enum Standing {
    /// It has not been well yet: nobody has to know.
    #[default]
    Waiting,
    /// It has been: whether it is well now.
    Seen(Steady<bool>),
}

impl Standing {
    fn next(&mut self, endpoint: &HealthEndpoint, answer: io::Result<u16>) -> Told {
        let is_well = matches!(answer, Ok(200..=299));
        let shown = match self {
            Self::Waiting if is_well => {
                *self = Self::Seen(Steady::of(true));
                Some(true)
            }
            Self::Waiting => None,
            Self::Seen(steady) => Some(steady.next(is_well)),
        };
        let (service, error) = match shown {
            None => ("waiting", None),
            Some(true) => ("healthy", None),
            Some(false) => ("unhealthy", Some(words(endpoint, &answer))),
        };
        Told {
            service: Some(service),
            error,
            warning: None,
        }
    }
}

fn words(endpoint: &HealthEndpoint, answer: &io::Result<u16>) -> String {
    match answer {
        Ok(status) => format!("{endpoint} answers {status}"),
        Err(error) => format!("{endpoint} does not answer: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// What is said after each of these answers.
    fn told(answers: &[Result<u16, &str>]) -> Vec<(&'static str, Option<String>)> {
        let endpoint = "http://localhost:3000/health".parse().unwrap();
        let mut standing = Standing::default();
        let next = |answer: &Result<u16, &str>| {
            let told = standing.next(&endpoint, answer.map_err(io::Error::other));
            (told.service.unwrap(), told.error)
        };
        answers.iter().map(next).collect()
    }

    fn words(said: &[(&'static str, Option<String>)]) -> Vec<&'static str> {
        said.iter().map(|(word, _)| *word).collect()
    }

    #[test]
    fn a_service_that_has_not_started_yet_is_waited_for() {
        let said = told(&[Err("refused"), Ok(503), Err("refused"), Ok(204)]);
        assert_eq!(words(&said), ["waiting", "waiting", "waiting", "healthy"]);
        assert!(said.iter().all(|(_, error)| error.is_none()));
    }

    #[test]
    fn two_bad_answers_in_a_row_are_an_illness_and_two_good_ones_a_cure() {
        let said = told(&[
            Ok(200),
            Ok(500),
            Ok(200),
            Ok(302),
            Err("refused"),
            Ok(200),
            Ok(200),
        ]);
        assert_eq!(
            words(&said),
            [
                "healthy",
                "healthy",
                "healthy",
                "healthy",
                "unhealthy",
                "unhealthy",
                "healthy"
            ]
        );
        let error = |at: usize| said[at].1.as_deref();
        assert_eq!(error(3), None);
        let refused = "http://localhost:3000/health does not answer: refused";
        assert_eq!(error(4), Some(refused));
        assert_eq!(error(6), None);
    }

    #[tokio::test]
    async fn a_service_is_asked_at_its_path_and_its_status_counts() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let endpoint: HealthEndpoint = format!("http://localhost:{port}/up").parse().unwrap();
        let served = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            stream
                .write_all(b"HTTP/1.1 503 Busy\r\n\r\n")
                .await
                .unwrap();
            String::from_utf8(request).unwrap()
        };
        let (answer, request) = tokio::join!(ask(&endpoint), served);
        assert_eq!(answer.unwrap(), 503);
        assert!(request.starts_with("GET /up HTTP/1.1\r\n"), "{request}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_takes_connections_and_says_nothing_is_not_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let endpoint: HealthEndpoint = format!("http://localhost:{port}/").parse().unwrap();
        let error = ask(&endpoint).await.unwrap_err();
        assert_eq!(error.to_string(), "no answer within a second");
    }
}
