//! The executable from outside: the real server on a folder of its own, and every command against it.

mod kill_nine;
mod offline;
mod tokens;
mod world;
