//! Structural schemas: pruning, defaults and validation of objects.
