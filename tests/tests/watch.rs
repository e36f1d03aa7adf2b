//! `monitor.watch()`: what it shows on terminals of all sizes, what it leaves there however the program ends, and what it
//! writes where there is no terminal.
#![cfg(not(any(loom, shuttle)))]
