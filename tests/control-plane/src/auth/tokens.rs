//! Bearer tokens and certificates, and whose they are.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;

use super::{Account, User};
use crate::plane::Plane;
use crate::serve::{PeerCertificate, bearer_token, websocket_token};

/// For whom all tokens are where nobody says otherwise: the server itself.
pub(crate) const AUDIENCE: &str = "https://kubernetes.default.svc";

/// The users that are known, and by what.
#[derive(Debug, Default)]
pub(crate) struct Tokens(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    tokens: BTreeMap<String, Token>,
    certificates: BTreeMap<Vec<u8>, Certificate>,
}

#[derive(Debug)]
struct Token {
    user: User,
    /// It is what the user reaches the server with. One that was renewed is not, nor is the server's own.
    is_current: bool,
    expires: Option<Instant>,
    /// The service account that it was issued to.
    account: Option<Account>,
}

#[derive(Debug)]
struct Certificate {
    user: String,
    expires: Option<Instant>,
}

/// A token or a certificate that nobody has.
#[derive(Debug)]
pub(crate) struct Unknown;

fn is_valid(expires: Option<Instant>) -> bool {
    expires.is_none_or(|at| Instant::now() < at)
}

/// When something expires that does so after a while; too far away, never.
fn expiry(after: Duration) -> Option<Instant> {
    Instant::now().checked_add(after)
}

impl Tokens {
    /// A user has one token: an earlier one is void.
    pub(crate) fn add(&self, token: &str, user: User) {
        let mut known = self.write();
        known
            .tokens
            .retain(|_, token| !token.is_current || token.user.name != user.name);
        known.insert(token, user, true);
    }

    /// Adds one that the server itself uses.
    pub(crate) fn add_own(&self, token: &str, user: User) {
        self.write().insert(token, user, false);
    }

    /// Gives a user another token. The one of before stays as valid as it was.
    pub(crate) fn renew(&self, name: &str, token: &str) -> Result<(), Unknown> {
        let mut known = self.write();
        let current = known.current(name).ok_or(Unknown)?;
        current.is_current = false;
        let user = current.user.clone();
        known.insert(token, user, true);
        Ok(())
    }

    /// Lets the token of a user expire.
    pub(crate) fn expire(&self, name: &str, after: Duration) -> Result<(), Unknown> {
        self.write().current(name).ok_or(Unknown)?.expires = expiry(after);
        Ok(())
    }

    /// Knows a user by a certificate.
    pub(crate) fn certify(&self, name: &str, certificate: &[u8]) {
        let known = Certificate {
            user: name.to_owned(),
            expires: None,
        };
        let mut all = self.write();
        all.certificates.insert(certificate.to_owned(), known);
    }

    /// Lets the certificates expire that a user has now.
    pub(crate) fn expire_certificates(&self, name: &str, after: Duration) {
        let mut known = self.write();
        let all = known.certificates.values_mut();
        for certificate in all.filter(|certificate| certificate.user == name) {
            certificate.expires = expiry(after);
        }
    }

    /// Adds one that was issued to a service account, and forgets those that have expired.
    pub(crate) fn issue(&self, token: &str, user: User, account: Account, valid_for: Duration) {
        let mut known = self.write();
        known
            .tokens
            .retain(|_, token| token.account.is_none() || is_valid(token.expires));
        let issued = Token {
            user,
            is_current: false,
            expires: expiry(valid_for),
            account: Some(account),
        };
        known.tokens.insert(token.to_owned(), issued);
    }

    /// Whose a token is to a control plane, and for which of the audiences; or why it is not taken.
    pub(crate) fn review(
        &self,
        plane: &Arc<Plane>,
        token: &str,
        audiences: &[String],
    ) -> Result<(User, Vec<String>), String> {
        const UNKNOWN: &str = "invalid bearer token";
        let known = self.read();
        let token = known.tokens.get(token).ok_or(UNKNOWN)?;
        let Some(account) = &token.account else {
            let is_valid = is_valid(token.expires) && audiences.iter().any(|to| to == AUDIENCE);
            let found = is_valid.then(|| (token.user.clone(), vec![AUDIENCE.to_owned()]));
            return found.ok_or_else(|| UNKNOWN.to_owned());
        };
        let expired = || "service account token has expired".to_owned();
        if !account.is_of(plane) {
            return Err(UNKNOWN.to_owned());
        }
        let for_whom = account.meant_for(audiences).and_then(|audiences| {
            let in_time = is_valid(token.expires).then_some(()).ok_or_else(expired);
            in_time.and_then(|()| account.check()).map(|()| audiences)
        });
        for_whom
            .map(|audiences| (token.user.clone(), audiences))
            .map_err(|why| format!("[{UNKNOWN}, {why}]"))
    }

    fn user(&self, plane: &Arc<Plane>, token: &str) -> Option<User> {
        let reviewed = self.review(plane, token, &[AUDIENCE.to_owned()]);
        reviewed.ok().map(|(user, _)| user)
    }

    fn user_of(&self, certificate: &PeerCertificate) -> Option<User> {
        let known = self.read();
        let found = known.certificates.get(certificate.der());
        let valid = found.filter(|certificate| is_valid(certificate.expires))?;
        let tokens = known.tokens.values();
        let mut users = tokens
            .filter(|token| token.account.is_none())
            .map(|token| &token.user);
        users.find(|user| user.name == valid.user).cloned()
    }

    pub(crate) fn token_of(&self, name: &str) -> Option<String> {
        let known = self.read();
        let mut tokens = known.tokens.iter();
        let found = tokens.find(|(_, token)| token.is_current && token.user.name == name);
        found.map(|(token, _)| token.clone())
    }

    /// All users by name, with their tokens.
    pub(crate) fn all(&self) -> BTreeMap<String, String> {
        let known = self.read();
        let current = known.tokens.iter().filter(|(_, token)| token.is_current);
        current
            .map(|(text, token)| (token.user.name.clone(), text.clone()))
            .collect()
    }

    /// Who sends a request to a control plane: who has its certificate or its token, or nobody that is known if it shows
    /// neither.
    pub(crate) fn identify(
        &self,
        plane: &Arc<Plane>,
        headers: &HeaderMap,
        certificate: Option<&PeerCertificate>,
    ) -> Result<User, Unknown> {
        if let Some(user) = certificate.and_then(|shown| self.user_of(shown)) {
            return Ok(user);
        }
        let token = bearer_token(headers).filter(|token| !token.is_empty());
        if let Some(user) = token.and_then(|token| self.user(plane, token)) {
            return Ok(user);
        }
        match websocket_token(headers) {
            Ok(Some(token)) => self.user(plane, &token).ok_or(Unknown),
            Ok(None) if token.is_none() && certificate.is_none() => Ok(User::anonymous()),
            Ok(None) | Err(_) => Err(Unknown),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn insert(&mut self, token: &str, user: User, is_current: bool) {
        let known = Token {
            user,
            is_current,
            expires: None,
            account: None,
        };
        self.tokens.insert(token.to_owned(), known);
    }

    fn current(&mut self, name: &str) -> Option<&mut Token> {
        let mut tokens = self.tokens.values_mut();
        tokens.find(|token| token.is_current && token.user.name == name)
    }
}
