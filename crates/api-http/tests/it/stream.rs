//! A client of the event stream.

use std::collections::VecDeque;

use serde_json::Value;

use crate::client::{Answer, Connection};
use crate::world::World;

pub(crate) const EVENTS: &str = "/api/cache/prices/events";

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: Value,
}

/// An open stream.
pub(crate) struct Stream {
    connection: Connection,
    text: String,
    events: VecDeque<Event>,
    pub(crate) comments: Vec<String>,
}

/// Sends the request; the answer is not read.
pub(crate) async fn ask(world: &World, lines: &[&str]) -> Connection {
    let mut connection = Connection::open(world.address).await;
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    connection.send(format!("GET {EVENTS} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n")).await;
    connection
}

impl Stream {
    /// Opens one that is let in.
    pub(crate) async fn open(world: &World, lines: &[&str]) -> Self {
        Self::answered(ask(world, lines).await).await.unwrap()
    }

    /// The stream, or the refusal.
    pub(crate) async fn answered(mut connection: Connection) -> Result<Self, Answer> {
        let head = connection.chunked_head().await;
        if head.status != 200 {
            return Err(head);
        }
        assert_eq!(head.header("content-type"), Some("text/event-stream"));
        assert_eq!(head.header("cache-control"), Some("no-store"));
        Ok(Self { connection, text: String::new(), events: VecDeque::new(), comments: Vec::new() })
    }

    /// The next event; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        while self.events.is_empty() {
            let chunk = self.connection.chunk().await?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                self.take(block.trim_end());
            }
        }
        self.events.pop_front()
    }

    /// Reads on until an event is wanted.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next().await.unwrap();
            if wanted(&event) {
                return event;
            }
        }
    }

    /// Everything up to the end of the stream.
    pub(crate) async fn rest(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }

    fn take(&mut self, block: &str) {
        let field = |name: &str| {
            let mut values = block.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            let value = values.next();
            assert!(values.next().is_none(), "{name} is given twice: {block}");
            value
        };
        if block.starts_with(':') {
            assert_eq!(block.lines().count(), 1);
            self.comments.push(block.to_owned());
            return;
        }
        assert_eq!(block.lines().count(), 3, "{block}");
        self.events.push_back(Event {
            id: field("id").unwrap().to_owned(),
            name: field("event").unwrap().to_owned(),
            data: serde_json::from_str(field("data").unwrap()).unwrap(),
        });
    }
}

impl Event {
    /// Whether it is a status of this state.
    pub(crate) fn is_status(&self, state: &str) -> bool {
        self.name == "status" && self.data["current_state"]["status"] == state
    }
}
