//! The macros of kommodore. Their documentation is at their re-export in `kommodore`.
