//! How two sets differ. Both are in the order of the ids, and mostly they are the same.

use crate::snapshot::Member;
use crate::sync::Arc;

/// The members of `new` that are not in `old` as they are.
pub(super) fn changed<T>(old: &[Member<T>], new: &[Member<T>]) -> Vec<Member<T>> {
    let mut old = old.iter().peekable();
    let mut changed = Vec::new();
    for member in new {
        if old.next_if(|known| known.is(member)).is_some() {
            continue;
        }
        while old.next_if(|known| known.id() < member.id()).is_some() {}
        match old.next_if(|known| known.id() == member.id()) {
            Some(known) if known.is(member) => {}
            _ => changed.push(member.clone()),
        }
    }
    changed
}

/// The members of `old` whose ids are not in `new`.
pub(super) fn departed<'a, T>(old: &'a [Member<T>], new: &[Member<T>]) -> Vec<&'a Member<T>> {
    let mut new = new.iter().peekable();
    let mut departed = Vec::new();
    for member in old {
        // Mostly it is the same one, and no ids have to be compared.
        if new.next_if(|it| Arc::ptr_eq(&it.bound, &member.bound)).is_some() {
            continue;
        }
        while new.next_if(|it| it.id() < member.id()).is_some() {}
        if new.next_if(|it| it.id() == member.id()).is_none() {
            departed.push(member);
        }
    }
    departed
}
