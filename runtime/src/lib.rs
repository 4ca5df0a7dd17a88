//! Kommodore.
