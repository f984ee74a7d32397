//! Pages of other sites that a victim's browser has open next to this server.

use anyhow::{Context, ensure};

use super::Attacked;

/// The request comes from nowhere else, and is refused only because a run goes on.
const HEARD: u16 = 409;
const REFUSED: u16 = 403;
const NOT_JSON: u16 = 415;

/// In headers, `OWN` is the address of the server and `PORT` its port. Where no `Host` is given it is `OWN`.
const CASES: [(&[&str], u16); 57] = [
    // No page at all, such as a script.
    (&[], HEARD),
    (&["Content-Type: application/json"], HEARD),
    // What browsers say of where a request comes from.
    (&["Sec-Fetch-Site: same-origin"], HEARD),
    (&["Sec-Fetch-Site: none"], HEARD),
    (&["Sec-Fetch-Site: same-site"], REFUSED),
    (&["Sec-Fetch-Site: cross-site"], REFUSED),
    (&["Sec-Fetch-Site: Same-Origin"], REFUSED),
    (&["Sec-Fetch-Site: "], REFUSED),
    (&["Sec-Fetch-Site: nonsense"], REFUSED),
    (&["Sec-Fetch-Site: same-origin, cross-site"], REFUSED),
    (&["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"], REFUSED),
    (&["Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-origin"], REFUSED),
    (&["Sec-Fetch-Site: same-origin", "Origin: http://OWN"], HEARD),
    // A proxy that does not pass on the host.
    (&["Sec-Fetch-Site: same-origin", "Origin: https://prices.example"], HEARD),
    (&["Sec-Fetch-Site: cross-site", "Origin: http://OWN"], REFUSED),
    (&["Sec-Fetch-Site: same-site", "Origin: http://OWN"], REFUSED),
    (&["Sec-Fetch-Site: cross-site", "Origin: https://evil.example"], REFUSED),
    (&["Sec-Fetch-Site: cross-site", "Referer: http://OWN/"], REFUSED),
    (&["Sec-Fetch-Site: cross-site", "Content-Type: application/json"], REFUSED),
    (&["Sec-Fetch-Site: cross-site", "Content-Type: text/plain"], REFUSED),
    (&["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-User: ?1"], REFUSED),
    // What older browsers say.
    (&["Origin: http://OWN"], HEARD),
    (&["Origin: https://OWN"], HEARD),
    (&["Origin: http://OWN", "Origin: http://OWN"], HEARD),
    (&["Origin: http://OWN", "Referer: https://evil.example/"], HEARD),
    (&["Origin: https://evil.example"], REFUSED),
    (&["Origin: null"], REFUSED),
    (&["Origin: "], REFUSED),
    (&["Origin: OWN"], REFUSED),
    (&["Origin: http://127.0.0.1"], REFUSED),
    (&["Origin: http://127.0.0.1:1"], REFUSED),
    (&["Origin: http://localhost:PORT"], REFUSED),
    (&["Origin: http://OWN.evil.example"], REFUSED),
    (&["Origin: http://OWN@evil.example"], REFUSED),
    (&["Origin: http://evil.example/OWN"], REFUSED),
    (&["Origin: file://"], REFUSED),
    (&["Origin: chrome-extension://abcdef"], REFUSED),
    (&["Origin: http://OWN", "Origin: https://evil.example"], REFUSED),
    (&["Origin: https://evil.example", "Origin: http://OWN"], REFUSED),
    (&["Origin: https://evil.example", "Referer: http://OWN/"], REFUSED),
    (&["Origin: https://evil.example", "Content-Type: text/plain"], REFUSED),
    (&["Origin: https://evil.example", "Content-Type: application/x-www-form-urlencoded"], REFUSED),
    (&["Origin: null", "Content-Type: multipart/form-data; boundary=x"], REFUSED),
    // What very old ones say.
    (&["Referer: http://OWN/dashboard/x?y=z"], HEARD),
    (&["Referer: https://evil.example/"], REFUSED),
    (&["Referer: https://evil.example/http://OWN/"], REFUSED),
    (&["Referer: "], REFUSED),
    (&["Referer: https://evil.example/", "Content-Type: text/plain"], REFUSED),
    // A name that was made to point here.
    (&["Host: evil.example", "Origin: http://evil.example"], REFUSED),
    (&["Host: evil.example:PORT", "Sec-Fetch-Site: same-origin"], REFUSED),
    (&["Host: evil.example", "Content-Type: application/json"], REFUSED),
    (&["Host: localhost:PORT", "Origin: http://localhost:PORT"], HEARD),
    (&["Host: localhost:PORT", "Origin: http://OWN"], REFUSED),
    // What a form can send is not what is read.
    (&["Content-Type: text/plain"], NOT_JSON),
    (&["Origin: http://OWN", "Content-Type: text/plain"], NOT_JSON),
    (&["Content-Type: application/x-www-form-urlencoded"], NOT_JSON),
    (&["Content-Type: multipart/form-data; boundary=x"], NOT_JSON),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_changes_nothing_whatever_it_sends() -> anyhow::Result<()> {
    let attacked = Attacked::new().await?;
    let address = attacked.server.api.address();
    for (lines, status) in CASES {
        let mut head = String::new();
        for line in lines {
            head.push_str(
                &line.replace("OWN", &address.to_string()).replace("PORT", &address.port().to_string()),
            );
            head.push_str("\r\n");
        }
        if !lines.iter().any(|line| line.starts_with("Host: ")) {
            head.push_str(&format!("Host: {address}\r\n"));
        }
        let request = format!("POST /api/cache/prices/reset HTTP/1.1\r\n{head}Content-Length: 2\r\n\r\n{{}}");
        let answer = attacked.send(&request).await.context(request.clone())?;
        ensure!(answer.status == status, "{request}: {answer:?}");
        answer.problem()?;
        ensure!(answer.header("access-control-allow-origin").is_none(), "{request}: {answer:?}");
        // Nor is a browser that asks first given leave.
        let preflight = format!(
            "OPTIONS /api/cache/prices/reset HTTP/1.1\r\n{head}Access-Control-Request-Method: POST\r\n\r\n"
        );
        let answer = attacked.send(&preflight).await.context(preflight.clone())?;
        let gives_leave = answer.headers.iter().any(|(name, _)| name.starts_with("access-control-"));
        ensure!(!gives_leave, "{preflight}: {answer:?}");
    }
    attacked.ends_untouched().await
}
