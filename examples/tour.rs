//! What plays the user.
