//! The dashboard's files: types, validators, compression, policy.

use price_cache_testkit::ScriptedSource;

use crate::client::Answer;
use crate::world::World;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn is_file(answer: &Answer, media_type: &str) {
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some(media_type));
    assert_eq!(answer.header("content-security-policy"), Some(POLICY));
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    assert_eq!(answer.header("vary"), Some("accept-encoding"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn the_pages_and_everything_they_name_are_served() {
    let world = World::new(ScriptedSource::new()).await;
    let mut html = String::new();
    for path in ["/", "/docs"] {
        let page = world.get(path).await;
        is_file(&page, "text/html; charset=utf-8");
        html.push_str(std::str::from_utf8(&page.body).unwrap());
    }
    let mut names: Vec<&str> =
        html.split("\"/dashboard/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    names.sort_unstable();
    names.dedup();
    assert!(
        names.contains(&"main.js") && names.contains(&"docs.js") && names.contains(&"style.css"),
        "{names:?}"
    );
    let mut scripts: Vec<String> = Vec::new();
    for name in names {
        let answer = world.get(&format!("/dashboard/{name}")).await;
        let media_type = match name.rsplit('.').next().unwrap() {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("{other}"),
        };
        is_file(&answer, media_type);
        if name.ends_with(".js") {
            scripts.push(String::from_utf8(answer.body).unwrap());
        }
    }
    // Modules name others.
    let mut seen = Vec::new();
    while let Some(script) = scripts.pop() {
        for name in script.split("from \"./").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()) {
            if !seen.contains(&name) {
                let answer = world.get(&format!("/dashboard/{name}")).await;
                is_file(&answer, "text/javascript; charset=utf-8");
                scripts.push(String::from_utf8(answer.body).unwrap());
                seen.push(name);
            }
        }
    }
    assert!(seen.len() > 5, "{seen:?}");
    // All modules of the page are asked for at once, not one import after the other.
    for name in seen.iter().filter(|name| !name.starts_with("docs")) {
        assert!(html.contains(&format!("rel=\"modulepreload\" href=\"/dashboard/{name}\"")), "{name}");
    }
}

#[tokio::test]
async fn what_a_browser_has_already_is_not_sent_again() {
    let world = World::new(ScriptedSource::new()).await;
    for path in ["/", "/dashboard/main.js"] {
        let plain = world.get(path).await;
        let small = world.request("GET", path, &["Accept-Encoding: br, gzip"], b"").await;
        assert_eq!(small.header("content-encoding"), Some("gzip"));
        assert!(small.body.len() < plain.body.len() && small.body.starts_with(&[0x1f, 0x8b]));
        let tags = [&plain, &small].map(|answer| answer.header("etag").unwrap().to_owned());
        assert_ne!(tags[0], tags[1], "other bytes, another strong tag");
        for (tag, lines) in tags.iter().zip([vec![], vec!["Accept-Encoding: gzip"]]) {
            assert!(tag.starts_with('"'), "{tag}");
            let known = format!("If-None-Match: \"x\", {tag}");
            let mut lines = lines.clone();
            lines.push(&known);
            let answer = world.request("GET", path, &lines, b"").await;
            assert_eq!((answer.status, answer.body.len()), (304, 0));
            assert_eq!(answer.header("etag"), Some(tag.as_str()));
            assert_eq!(answer.header("content-security-policy"), Some(POLICY));
        }
        let other = world.request("GET", path, &["If-None-Match: \"x\""], b"").await;
        assert_eq!((other.status, other.body.len()), (200, plain.body.len()));
        for refusing in ["Accept-Encoding: gzip;q=0", "Accept-Encoding: br", "Accept-Encoding: identity"] {
            let answer = world.request("GET", path, &[refusing], b"").await;
            assert_eq!((answer.header("content-encoding"), &answer.body), (None, &plain.body), "{refusing}");
        }
        let head = world.request("HEAD", path, &[], b"").await;
        assert_eq!(head.header("content-length"), Some(plain.body.len().to_string().as_str()));
    }
}

#[tokio::test]
async fn nothing_else_is_a_file() {
    let world = World::new(ScriptedSource::new()).await;
    for path in [
        "/dashboard/",
        "/dashboard/nothing.js",
        "/dashboard/index.html",
        "/dashboard/docs.html",
        "/dashboard/README.md",
        "/dashboard/..%2fassets.rs",
        "/dashboard/../Cargo.toml",
        "/index.html",
        "/favicon.ico",
    ] {
        world.get(path).await.problem(404, path);
    }
    let answer = world.request("POST", "/", &[], b"").await;
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    answer.problem(405, "/");
}
