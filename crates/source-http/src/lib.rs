//! A [`PriceSource`](price_cache_domain::PriceSource) for any JSON API over HTTP, described in
//! configuration: see [`SourceConfig`] for what can be said and [`HttpPriceSource`] for what runs.
#![doc = include_str!("../README.md")]

mod answer;
mod compiled;
mod config;
mod http;
mod json;
mod listing;
mod price;
mod probe;
mod problem;
mod request;
mod rules;
mod secrets;
mod source;
mod template;

pub use config::{
    AmountForm, ConditionConfig, CurrencyConfig, DEPTH_MAX, HeadersConfig, InvalidSpan, LimitsConfig,
    MarketsConfig, Method, PaginationConfig, PriceConfig, ProductsConfig, PurgeConfig, Scalar, SourceConfig,
    Span,
};
pub use probe::Exchange;
pub use problem::{ConfigProblem, SourceError};
pub use source::HttpPriceSource;
