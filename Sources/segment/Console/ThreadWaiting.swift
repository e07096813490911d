import ArgumentParser
import Foundation

/// A command that trains networks or predicts by them.
protocol NetworkCommand: ParsableCommand {}

/// Lets the threads that compute networks sleep while they wait for one another, unless the environment says how they
/// wait. Of themselves they spin: that gains nothing where the processors are theirs alone, and makes steps several times as
/// long where anything else runs on them.
///
/// Their runtime (OpenMP's) reads the environment as it is loaded, before `main`, so the program starts once more in its
/// own place. Where that fails all goes on as it is.
func letThreadsSleep() {
    let environment = ProcessInfo.processInfo.environment
    guard environment["OMP_WAIT_POLICY"] == nil, environment["GOMP_SPINCOUNT"] == nil else { return }
    setenv("OMP_WAIT_POLICY", "passive", 1)
    execv(thisProgram, CommandLine.unsafeArgv)
}
