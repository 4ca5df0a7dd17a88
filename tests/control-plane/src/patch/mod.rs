//! What changes an object: the four patch types of the API, and who owns which field.
