//! A configuration of the server for the simulator.

use std::path::Path;

/// Written by `command`, for the simulator at `upstream` and a store in `data`; `run` and `server` are further lines of
/// those sections.
pub(crate) fn of_simulator(command: &str, upstream: &str, data: &Path, run: &str, server: &str) -> String {
    format!(
        r#"# Written by `cargo xtask {command}`.
[source]
base_url = "{upstream}"

[source.markets]
url = "/markets"
items = "$.markets[*].id"

[source.products]
url = "/markets/{{market}}/products"
items = "$.items[*].id"
pagination = {{ style = "page", total_pages = "$.pages", size_param = "size", size = 500 }}

[source.price]
url = "/markets/{{market}}/products/{{product}}/price"
amount = "$.amount"
currency = "$.currency"

[run]
{run}

[server]
{server}

[storage]
path = '{data}'

[log]
level = "error"
"#,
        data = data.display()
    )
}
