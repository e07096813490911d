import Foundation

/// Runs trials in this process, and writes to standard output when each begins and how it ends; whoever watches sees at
/// which one the process dies or stays.
struct TrialChild {
    let samples: [Sample]
    let seed: Int
    let folder: String

    func run(_ trials: Range<Int>) {
        if !Sanitizer.isOn {
            var limit = rlimit(rlim_cur: 8 << 30, rlim_max: 8 << 30)
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        }
        for number in trials {
            do {
                let trial = try Trial(number, seed: seed, of: samples)
                try trial.write(to: folder)
                say("begin \(number)")
                Memory.resetPeak()
                let (outcome, message) = trial.read(in: folder)
                say("end \(number) \(outcome.rawValue) \(Memory.peak) \(message.debugDescription)")
            } catch {
                say("end \(number) wrongError 0 \("\(error)".debugDescription)")
            }
        }
    }
}

enum Sanitizer {
    /// Whether this program was built with the address sanitizer.
    static let isOn = dlsym(dlopen(nil, RTLD_NOW), "__asan_init") != nil
}

/// This process's resident memory.
enum Memory {
    /// The largest, in bytes, since the last reset.
    static var peak: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") } ?? ""
        return (Int(line.filter(\.isNumber)) ?? 0) << 10
    }

    static func resetPeak() {
        let file = open("/proc/self/clear_refs", O_WRONLY)
        guard file >= 0 else { return }
        write(file, "5", 1)
        close(file)
    }
}
