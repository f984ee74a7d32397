//! A generic state machine: a table of one's own, guards that may veto a transition, hooks that see each
//! one. The run of this crate is one table of it; other teams bring theirs.

use std::borrow::Cow;
use std::fmt;

use crate::Timestamp;

/// States, events and the function that says what follows. `next` must be pure.
///
/// ```
/// use price_cache_domain::{Actor, Machine, Table, Timestamp};
///
/// #[derive(Clone, Debug, PartialEq)]
/// enum Door { Open, Shut }
/// #[derive(Debug)]
/// enum Push { Open, Shut }
/// #[derive(Debug)]
/// struct AlreadyThere;
/// impl std::fmt::Display for AlreadyThere {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.write_str("the door is so already")
///     }
/// }
///
/// struct DoorTable;
/// impl Table for DoorTable {
///     type State = Door;
///     type Event = Push;
///     type Refusal = AlreadyThere;
///     fn next(state: &Door, event: &Push, _now: Timestamp) -> Result<Door, AlreadyThere> {
///         match (state, event) {
///             (Door::Shut, Push::Open) => Ok(Door::Open),
///             (Door::Open, Push::Shut) => Ok(Door::Shut),
///             (Door::Open, Push::Open) | (Door::Shut, Push::Shut) => Err(AlreadyThere),
///         }
///     }
/// }
///
/// let mut door = Machine::<DoorTable>::new(Door::Shut);
/// let now = Timestamp::from_millis(0);
/// assert_eq!(door.apply(Push::Open, Actor::named("visitor"), now).unwrap(), &Door::Open);
/// assert!(door.apply(Push::Open, Actor::named("visitor"), now).is_err());
/// ```
pub trait Table {
    /// The states.
    type State;
    /// What can happen.
    type Event;
    /// Why an event is not possible, as a sentence for a person.
    type Refusal: fmt::Display;

    /// The state that follows, or why none does.
    fn next(state: &Self::State, event: &Self::Event, now: Timestamp) -> Result<Self::State, Self::Refusal>;
}

/// Who caused a transition, for hooks and audit lines.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor(Cow<'static, str>);

impl Actor {
    /// The program itself.
    pub const ENGINE: Self = Self(Cow::Borrowed("engine"));

    /// A person or program by name, such as `api` or `command line`.
    pub fn named(name: impl Into<Cow<'static, str>>) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One transition, as guards see it before and hooks after it is made.
pub struct Change<'a, T: Table> {
    /// The state before.
    pub from: &'a T::State,
    /// The state after.
    pub to: &'a T::State,
    /// What happened.
    pub event: &'a T::Event,
    /// Who caused it.
    pub actor: &'a Actor,
    /// When.
    pub at: Timestamp,
}

/// A guard's reason against a transition: a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Veto(pub String);

/// May veto a transition that the table allows. Closures are guards.
///
/// ```
/// use price_cache_domain::{Actor, Change, Event, Machine, Run, RunId, RunTable, Timestamp, Veto};
///
/// let mut machine = Machine::<RunTable>::new(Run::new()).with_guard(|change: &Change<'_, RunTable>| {
///     if matches!(change.event, Event::Start { .. }) {
///         return Err(Veto("prices are frozen until Monday".to_owned()));
///     }
///     Ok(())
/// });
/// let start = Event::Start { run: RunId::from_number(1) };
/// let refused = machine.apply(start, Actor::named("operator"), Timestamp::from_millis(0)).unwrap_err();
/// assert_eq!(refused.to_string(), "prices are frozen until Monday");
/// assert_eq!(machine.state(), &Run::new());
/// ```
pub trait Guard<T: Table>: Send + Sync {
    /// `Err` keeps the state as it is.
    fn check(&self, change: &Change<'_, T>) -> Result<(), Veto>;
}

impl<T: Table, F: Fn(&Change<'_, T>) -> Result<(), Veto> + Send + Sync> Guard<T> for F {
    fn check(&self, change: &Change<'_, T>) -> Result<(), Veto> {
        self(change)
    }
}

/// Sees every transition after it is made, self-transitions included. Closures are hooks.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use price_cache_domain::{Actor, Change, Event, Machine, Run, RunId, RunTable, Timestamp};
///
/// let seen = Arc::new(Mutex::new(Vec::new()));
/// let log = Arc::clone(&seen);
/// let mut machine = Machine::<RunTable>::new(Run::new()).with_hook(move |change: &Change<'_, RunTable>| {
///     log.lock().unwrap().push(format!(
///         "{} -> {} by {} at {}", change.from.status(), change.to.status(), change.actor, change.at
///     ));
/// });
/// let start = Event::Start { run: RunId::from_number(1) };
/// machine.apply(start, Actor::named("operator"), Timestamp::from_millis(5)).unwrap();
/// assert_eq!(*seen.lock().unwrap(), ["IDLE -> INITIALIZING by operator at 5 ms"]);
/// ```
pub trait Hook<T: Table>: Send + Sync {
    /// Called once for each transition; must not block.
    fn transitioned(&self, change: &Change<'_, T>);
}

impl<T: Table, F: Fn(&Change<'_, T>) + Send + Sync> Hook<T> for F {
    fn transitioned(&self, change: &Change<'_, T>) {
        self(change);
    }
}

/// Why a machine stayed in its state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused<R: fmt::Display> {
    /// The table has no such transition.
    #[error("{0}")]
    Illegal(R),
    /// A guard said no.
    #[error(transparent)]
    Vetoed(Veto),
}

/// A transition that was found possible and is not made yet, so that it can be stored first.
#[derive(Debug)]
#[must_use = "nothing changes until the decision is committed"]
pub struct Decision<T: Table> {
    revision: u64,
    to: T::State,
    event: T::Event,
    actor: Actor,
    at: Timestamp,
}

impl<T: Table> Decision<T> {
    /// The state that committing leads to.
    pub const fn to(&self) -> &T::State {
        &self.to
    }

    /// What happened.
    pub const fn event(&self) -> &T::Event {
        &self.event
    }
}

/// The machine went on since the decision was made, so it no longer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the state changed after this transition was decided")]
pub struct StaleDecision;

/// A state, the table that changes it, and who watches.
pub struct Machine<T: Table> {
    state: T::State,
    revision: u64,
    guards: Vec<Box<dyn Guard<T>>>,
    hooks: Vec<Box<dyn Hook<T>>>,
}

impl<T: Table> Machine<T> {
    /// A machine in `state`, as new or as read back from a store.
    pub const fn new(state: T::State) -> Self {
        Self { state, revision: 0, guards: Vec::new(), hooks: Vec::new() }
    }

    /// Adds a guard; guards are asked in the order they were added, and the first veto counts.
    #[must_use]
    pub fn with_guard(self, guard: impl Guard<T> + 'static) -> Self {
        self.with_boxed_guard(Box::new(guard))
    }

    /// The same for a guard in a box.
    #[must_use]
    pub fn with_boxed_guard(mut self, guard: Box<dyn Guard<T>>) -> Self {
        self.guards.push(guard);
        self
    }

    /// Adds a hook; hooks are called in the order they were added.
    #[must_use]
    pub fn with_hook(self, hook: impl Hook<T> + 'static) -> Self {
        self.with_boxed_hook(Box::new(hook))
    }

    /// The same for a hook in a box.
    #[must_use]
    pub fn with_boxed_hook(mut self, hook: Box<dyn Hook<T>>) -> Self {
        self.hooks.push(hook);
        self
    }

    /// The present state.
    pub const fn state(&self) -> &T::State {
        &self.state
    }

    /// Asks table and guards what would follow, and changes nothing.
    pub fn decide(
        &self,
        event: T::Event,
        actor: Actor,
        at: Timestamp,
    ) -> Result<Decision<T>, Refused<T::Refusal>> {
        let to = T::next(&self.state, &event, at).map_err(Refused::Illegal)?;
        let change = Change { from: &self.state, to: &to, event: &event, actor: &actor, at };
        self.guards.iter().try_for_each(|guard| guard.check(&change)).map_err(Refused::Vetoed)?;
        Ok(Decision { revision: self.revision, to, event, actor, at })
    }

    /// Makes a transition that was decided in the present state, and tells the hooks.
    pub fn commit(&mut self, decision: Decision<T>) -> Result<&T::State, StaleDecision> {
        if decision.revision != self.revision {
            return Err(StaleDecision);
        }
        Ok(self.make(decision))
    }

    /// Decides and commits in one step.
    pub fn apply(
        &mut self,
        event: T::Event,
        actor: Actor,
        at: Timestamp,
    ) -> Result<&T::State, Refused<T::Refusal>> {
        let decision = self.decide(event, actor, at)?;
        Ok(self.make(decision))
    }

    fn make(&mut self, decision: Decision<T>) -> &T::State {
        let Decision { to, event, actor, at, .. } = decision;
        let from = std::mem::replace(&mut self.state, to);
        self.revision += 1;
        let change = Change { from: &from, to: &self.state, event: &event, actor: &actor, at };
        self.hooks.iter().for_each(|hook| hook.transitioned(&change));
        &self.state
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::{Event, Run, RunId, RunStatus, RunTable};

    #[test]
    fn a_decision_of_an_earlier_state_cannot_be_committed() {
        let mut machine = Machine::<RunTable>::new(Run::new());
        let start = |run| Event::Start { run: RunId::from_number(run) };
        let at = Timestamp::from_millis(0);
        let decided = machine.decide(start(1), Actor::ENGINE, at).unwrap();
        machine.apply(start(2), Actor::ENGINE, at).unwrap();
        assert_eq!(machine.commit(decided).unwrap_err(), StaleDecision);
        assert_eq!(machine.state().latest_id(), Some(RunId::from_number(2)));
        assert_eq!(machine.state().status(), RunStatus::Initializing);
    }
}
