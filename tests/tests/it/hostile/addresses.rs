//! Requests for other hosts, for several, and for none.

use anyhow::{Context, ensure};

use super::Attacked;

const STATUS: &str = "/api/cache/prices/status";

#[tokio::test(flavor = "multi_thread")]
async fn only_the_host_that_is_meant_is_answered() -> anyhow::Result<()> {
    let attacked = Attacked::new().await?;
    let port = attacked.server.api.address().port();
    let own = format!("127.0.0.1:{port}");
    let cases: Vec<(String, Vec<String>, u16)> = [
        // As it is meant.
        (STATUS, vec![own.as_str()], 200),
        (STATUS, vec!["localhost"], 200),
        (STATUS, vec!["LOCALHOST:1"], 200),
        (STATUS, vec!["[::1]"], 200),
        ("http://localhostSTATUS", vec![own.as_str()], 200),
        // None, several, and what is no host.
        (STATUS, vec![], 400),
        (STATUS, vec![own.as_str(), own.as_str()], 400),
        (STATUS, vec![own.as_str(), "evil.example"], 400),
        (STATUS, vec!["evil.example", own.as_str()], 400),
        (STATUS, vec![""], 403),
        (STATUS, vec!["127.0.0.1:80:80"], 403),
        (STATUS, vec!["localhost, evil.example"], 403),
        (STATUS, vec!["localhost/"], 403),
        // A name that a page has made point here, and its like.
        (STATUS, vec!["evil.example"], 403),
        (STATUS, vec!["localhost.evil.example"], 403),
        (STATUS, vec!["127.0.0.1.evil.example"], 403),
        (STATUS, vec!["evil.example@localhost"], 403),
        (STATUS, vec!["localhost@evil.example"], 403),
        (STATUS, vec!["localhost."], 403),
        (STATUS, vec!["0.0.0.0"], 403),
        (STATUS, vec!["0x7f000001"], 403),
        (STATUS, vec!["2130706433"], 403),
        (STATUS, vec!["192.168.0.1"], 403),
        (STATUS, vec!["169.254.169.254"], 403),
        // As a proxy is asked: the host of the target counts, whatever the header says.
        ("http://evil.exampleSTATUS", vec![own.as_str()], 403),
        ("http://evil.exampleSTATUS", vec!["evil.example"], 403),
        ("https://169.254.169.254STATUS", vec!["localhost"], 403),
        ("http://localhost@evil.exampleSTATUS", vec!["localhost"], 403),
    ]
    .into_iter()
    .map(|(target, hosts, status)| {
        let target = target.replace("STATUS", STATUS);
        (target, hosts.into_iter().map(str::to_owned).collect(), status)
    })
    .collect();
    for (target, hosts, status) in cases {
        let lines: String = hosts.iter().map(|host| format!("Host: {host}\r\n")).collect();
        for method in ["GET", "POST"] {
            let request = format!("{method} {target} HTTP/1.1\r\n{lines}\r\n");
            let answer = attacked.send(&request).await.context(request.clone())?;
            // A wrong method is found out after who may call.
            let expected = if method == "POST" && status == 200 { 405 } else { status };
            ensure!(answer.status == expected, "{request}: {answer:?}");
            ensure!(answer.header("x-content-type-options") == Some("nosniff"), "{request}: {answer:?}");
            if expected != 200 {
                answer.problem().context(request)?;
            }
        }
    }
    // Not a proxy, not for tunnels either.
    for target in ["evil.example:443", &own] {
        let answer = attacked.send(format!("CONNECT {target} HTTP/1.1\r\nHost: {own}\r\n\r\n")).await?;
        ensure!((400..500).contains(&answer.status), "{target}: {answer:?}");
    }
    attacked.ends_untouched().await
}
