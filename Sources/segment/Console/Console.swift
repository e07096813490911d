import Foundation

/// Where the program speaks: results on standard output, progress and complaints on standard error.
enum Console {
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// A reader that has gone away ends the program quietly; a disk that is full is said.
    static func say(_ line: String) {
        guard !write(line + "\n", to: STDOUT_FILENO) else { return }
        if errno != EPIPE {
            complain("error: standard output: cannot be written: \(String(cString: strerror(errno)))")
        }
        exit(1)
    }

    /// Work goes on where nobody listens.
    static func complain(_ line: String) {
        _ = write(line + "\n", to: STDERR_FILENO)
    }

    /// Whether all of it was written; otherwise `errno` says why.
    @discardableResult
    static func write(_ text: some StringProtocol, to descriptor: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { return false }
            rest = rest.dropFirst(written)
        }
        return true
    }

    /// Columns of the terminal, 80 where that is not known.
    static var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Seconds as people say them: `42 s`, `4 min`, `1 h 20 min`.
    static func duration(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        if whole < 60 { return seconds < 10 ? String(format: "%.1f s", seconds) : "\(whole) s" }
        if whole < 3600 { return "\((whole + 30) / 60) min" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}
