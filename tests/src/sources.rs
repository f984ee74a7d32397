//! Configurations of the simulator as a source, one for each style that an API may have.

use std::fmt;

/// How lists of products go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pagination {
    /// Numbered pages.
    Page,
    /// Offsets.
    Offset,
    /// Cursors.
    Cursor,
    /// Whole URLs in the answer.
    NextUrl,
    /// Relative URLs in the answer.
    RelativeNextUrl,
    /// `Link` headers.
    LinkHeader,
    /// One list of products for all markets.
    Shared,
}

impl Pagination {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Page,
        Self::Offset,
        Self::Cursor,
        Self::NextUrl,
        Self::RelativeNextUrl,
        Self::LinkHeader,
        Self::Shared,
    ];

    fn toml(self, size: usize) -> String {
        match self {
            Self::Page => format!(
                "url = \"/markets/{{market}}/products\"\nitems = \"$.items\"\n\
                 pagination = {{ style = \"page\", size_param = \"size\", size = {size}, total_pages = \"$.pages\" }}"
            ),
            Self::Offset => format!(
                "url = \"/offset/markets/{{market}}/products\"\nitems = \"$.items\"\n\
                 pagination = {{ style = \"offset\", size = {size}, total = \"$.total\" }}"
            ),
            Self::Cursor => format!(
                "url = \"/cursor/markets/{{market}}/products\"\nitems = \"$.items\"\n\
                 pagination = {{ style = \"cursor\", next = \"$.next_cursor\", size_param = \"size\", size = {size} }}"
            ),
            Self::NextUrl => format!(
                "url = \"/next/markets/{{market}}/products?size={size}\"\nitems = \"$.items\"\n\
                 pagination = {{ style = \"next_url\", next = \"$.next\" }}"
            ),
            Self::RelativeNextUrl => format!(
                "url = \"/next/markets/{{market}}/products?size={size}&urls=relative\"\nitems = \"$.items\"\n\
                 pagination = {{ style = \"next_url\", next = \"$.next\" }}"
            ),
            Self::LinkHeader => format!(
                "url = \"/link/markets/{{market}}/products?size={size}\"\nitems = \"$\"\n\
                 pagination = {{ style = \"link_header\" }}"
            ),
            Self::Shared => "url = \"/all/products\"\nitems = \"$\"\nshared = true".to_owned(),
        }
    }
}

/// A source: lists by any style, prices by GET.
#[derive(Clone, Debug)]
pub struct Source {
    base_url: String,
    pagination: Pagination,
    size: usize,
    price: String,
    more: String,
    headers: String,
}

impl Source {
    /// A plain REST API: numbered pages, prices as JSON numbers.
    pub fn rest(base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            pagination: Pagination::Page,
            size: 500,
            price: "url = \"/markets/{market}/products/{product}/price\"\namount = \"$.amount\"\n\
                    currency = \"$.currency\"\nproduct_check = \"$.product\"\nmarket_check = \"$.market\""
                .to_owned(),
            more: String::new(),
            headers: String::new(),
        }
    }

    /// Prices by POST with amounts as texts; the list goes on with cursors.
    pub fn post(base_url: &str) -> Self {
        Self {
            pagination: Pagination::Cursor,
            price: "method = \"POST\"\nurl = \"/prices?form=string\"\n\
                    body = '''{\"market\": {{ market | tojson }}, \"product\": {{ product | tojson }}}'''\n\
                    amount = \"$.amount\"\ncurrency = \"$.currency\""
                .to_owned(),
            ..Self::rest(base_url)
        }
    }

    /// Lists by `next` URLs, prices in an envelope, and a purge before each fetch.
    pub fn purging(base_url: &str) -> Self {
        Self {
            pagination: Pagination::NextUrl,
            price: "url = \"/envelope/markets/{market}/products/{product}?form=string\"\n\
                    amount = \"$.result.amount\"\ncurrency = \"$.result.currency\"\n\
                    success = { path = \"$.ok\", equals = true }\nerror_path = \"$.error\"\n\
                    not_found_when = { path = \"$.code\", equals = 404 }"
                .to_owned(),
            more: "\n[source.purge]\nurl = \"/cdn/markets/{market}/products/{product}/price\"\n".to_owned(),
            ..Self::rest(base_url)
        }
    }

    /// Lists in another style, with this many products to a page.
    #[must_use]
    pub fn paginated(self, pagination: Pagination, size: usize) -> Self {
        Self { pagination, size, ..self }
    }

    /// With headers, as an inline table.
    #[must_use]
    pub fn headers(self, headers: &str) -> Self {
        Self { headers: format!("headers = {headers}\n"), ..self }
    }

    /// With text at the end of the price's URL.
    #[must_use]
    pub fn price_query(self, query: &str) -> Self {
        Self { price: self.price.replace("/price\"", &format!("/price{query}\"")), ..self }
    }

    /// With more sections.
    #[must_use]
    pub fn more(self, more: &str) -> Self {
        Self { more: format!("{}{more}", self.more), ..self }
    }
}

impl fmt::Display for Source {
    /// The sections `[source]` and those below it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "[source]\nbase_url = \"{}\"\n{}\n[source.markets]\nurl = \"/markets\"\nitems = \"$.markets\"\n\n\
             [source.products]\n{}\n\n[source.price]\n{}\n{}",
            self.base_url,
            self.headers,
            self.pagination.toml(self.size),
            self.price,
            self.more,
        )
    }
}
