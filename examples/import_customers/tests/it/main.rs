//! The program as a process, against a server that fails on purpose.

mod disk;
mod endings;
mod killed;
mod support;
mod tables;
