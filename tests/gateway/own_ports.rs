//! The fallback for browsers that do not resolve `*.localhost`: `127.0.0.1` and a port of each service's own.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use mizzen_gateway::Target;

use crate::rig::{Rig, get, request, text, with, with_cookie};

/// A service's own port, with the cookie that opens it.
struct Own {
    host: String,
    cookie: String,
}

impl Own {
    async fn log_in(rig: &Rig, session: &str, target: Target) -> Self {
        let url = rig.gateway.launch_url_by_address(session, target).unwrap();
        let plain = rig.gateway.url_by_address(session, target).unwrap();
        assert!(url.starts_with(&plain), "{url} {plain}");
        let rest = url.strip_prefix("http://").unwrap();
        let (host, path) = rest.split_once('/').unwrap();
        let launch = with(get(host, &format!("/{path}")), "sec-fetch-site", "none");
        let answer = ask(rig, host, launch).await;
        assert_eq!(answer.status(), StatusCode::FOUND);
        assert_eq!(
            answer.headers()[header::LOCATION],
            format!("http://{host}/")
        );
        let set = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(set.ends_with("; HttpOnly; SameSite=Strict") && !set.contains("Domain"));
        Self {
            host: host.to_owned(),
            cookie: set.split(';').next().unwrap().to_owned(),
        }
    }

    /// What a browser sends that has both cookies, since all ports share a jar.
    fn get(&self, path: &str, jar: &[&Own]) -> Request<Full<Bytes>> {
        let request = with(get(&self.host, path), "sec-fetch-site", "same-origin");
        let pairs: Vec<&str> = jar.iter().map(|own| own.cookie.as_str()).collect();
        with_cookie(request, &pairs.join("; "))
    }
}

async fn ask(rig: &Rig, host: &str, request: Request<Full<Bytes>>) -> Response<Bytes> {
    let port = host.rsplit_once(':').unwrap().1.parse().unwrap();
    rig.ask_at(port, request).await
}

async fn refused(rig: &Rig, own: &Own, request: Request<Full<Bytes>>, title: &str) {
    let answer = ask(rig, &own.host, request).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{title}");
    assert!(text(&answer).contains(title), "{}", text(&answer));
}

#[tokio::test]
async fn each_service_has_its_own_port_and_login() {
    let rig = Rig::new().await;
    let server = Target::Port(3000.try_into().unwrap());
    let web = Own::log_in(&rig, "web", Target::CodeServer).await;
    let api = Own::log_in(&rig, "api", Target::CodeServer).await;
    let dev = Own::log_in(&rig, "web", server).await;
    let jar = [&web, &api, &dev];
    for (own, seen) in [
        (&web, "web CodeServer: GET /"),
        (&api, "api CodeServer: GET /"),
        (&dev, "web Port(3000): GET /"),
    ] {
        let answer = ask(&rig, &own.host, own.get("/", &jar)).await;
        assert!(text(&answer).starts_with(seen), "{}", text(&answer));
    }
    let again = Own::log_in(&rig, "WEB", Target::CodeServer).await;
    assert_eq!(again.host, web.host, "the port stays");
    for other in [&api, &dev] {
        let theirs = web.get("/", &[other]);
        refused(&rig, &web, theirs, "not logged in to this session").await;
    }
}

#[tokio::test]
async fn a_port_answers_its_own_host_only() {
    let rig = Rig::new().await;
    let web = Own::log_in(&rig, "web", Target::CodeServer).await;
    let port = web.host.rsplit_once(':').unwrap().1.to_owned();
    for host in [
        format!("localhost:{port}"),
        format!("web.localhost:{port}"),
        format!("rebound.example:{port}"),
        format!("127.0.0.1:{}", rig.gateway.port()),
        "127.0.0.1".to_owned(),
    ] {
        let request = with(get(&host, "/"), "sec-fetch-site", "none");
        let request = with_cookie(request, &web.cookie);
        refused(&rig, &web, request, "not the address of a session").await;
    }
}

#[tokio::test]
async fn a_neighbour_on_another_port_is_another_site() {
    let rig = Rig::new().await;
    let web = Own::log_in(&rig, "web", Target::CodeServer).await;
    let api = Own::log_in(&rig, "api", Target::CodeServer).await;
    let title = "Another site asked";
    // No `Origin`: an image, a script, a frame or a link on a neighbour's page.
    for site in ["same-site", "cross-site"] {
        let request = with(get(&web.host, "/"), "sec-fetch-site", site);
        refused(&rig, &web, with_cookie(request, &web.cookie), title).await;
    }
    let silent = with_cookie(get(&web.host, "/"), &web.cookie);
    refused(&rig, &web, silent, title).await;
    for method in [Method::GET, Method::POST] {
        let request = with(
            request(method, &web.host, "/"),
            "sec-fetch-site",
            "same-site",
        );
        let request = with(request, "origin", &format!("http://{}", api.host));
        refused(&rig, &web, with_cookie(request, &web.cookie), title).await;
    }
}

#[tokio::test]
async fn a_login_at_an_address_survives_a_restart_of_the_core() {
    let rig = Rig::new().await;
    let web = Own::log_in(&rig, "web", Target::CodeServer).await;
    let rig = rig.restart().await;
    let again = Own::log_in(&rig, "web", Target::CodeServer).await;
    assert_eq!(again.host, web.host, "the same port, as long as it is free");
    let answer = ask(&rig, &web.host, web.get("/", &[&web])).await;
    assert_eq!(answer.status(), StatusCode::OK);
}
