//! Bearer tokens, and whose they are.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use http::HeaderMap;

use super::User;
use crate::serve::bearer_token;

/// The users that are known, by token.
#[derive(Debug, Default)]
pub(crate) struct Tokens(RwLock<BTreeMap<String, User>>);

/// A token that nobody has.
#[derive(Debug)]
pub(crate) struct Unknown;

impl Tokens {
    /// A user has one token: an earlier one is void.
    pub(crate) fn add(&self, token: &str, user: User) {
        let mut users = self.0.write().unwrap_or_else(PoisonError::into_inner);
        users.retain(|_, known| known.name != user.name);
        users.insert(token.to_owned(), user);
    }

    pub(crate) fn user(&self, token: &str) -> Option<User> {
        let users = self.0.read().unwrap_or_else(PoisonError::into_inner);
        users.get(token).cloned()
    }

    pub(crate) fn token_of(&self, name: &str) -> Option<String> {
        let users = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found = users.iter().find(|(_, user)| user.name == name);
        found.map(|(token, _)| token.clone())
    }

    /// All users by name, with their tokens.
    pub(crate) fn all(&self) -> BTreeMap<String, String> {
        let users = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let named = users.iter();
        named
            .map(|(token, user)| (user.name.clone(), token.clone()))
            .collect()
    }

    /// Who sends a request: who has its token, or nobody that is known if it shows none.
    pub(crate) fn identify(&self, headers: &HeaderMap) -> Result<User, Unknown> {
        match bearer_token(headers) {
            None | Some("") => Ok(User::anonymous()),
            Some(token) => self.user(token).ok_or(Unknown),
        }
    }
}
