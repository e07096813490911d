import Foundation
import Pipeline

/// Shows a run: on a terminal a line a step that is drawn anew while it runs; elsewhere a line a step when it is done, and
/// of a long one where it stands after a minute, two, four and so on.
final class ProgressDisplay {
    private let isTerminal = Console.isTerminal
    private var stepStart = Date()
    /// The stage or experiment that runs.
    private var stage: String?
    private var lastDrawn = Date.distantPast
    /// Seconds after which a step that runs says where it stands, off a terminal.
    private var nextPlain = ProgressDisplay.firstPlain
    private static let firstPlain = 60.0
    private var isLineOpen = false
    /// A long reason is said once.
    private var lastReason: String?
    /// Of each subject that runs, to be said when it is done.
    private var reasons: [String: String] = [:]
    /// Where the running step stood when it began, so that a resumed one's rate is its own.
    private var firstFraction: Double?

    func show(_ event: RunEvent) {
        switch event {
        case .kept(let stage, let count):
            line(column(stage.rawValue) + "\(count) of \(count)".padded(to: 11) + "kept")
        case .started(let stage, let subject, let index, let count, let reason):
            begin(stage.rawValue)
            let isSaid = reason == lastReason && reason.count > 12
            reasons[subject] = isSaid ? "likewise" : reason
            lastReason = reason
            guard isTerminal else { return }
            line(
                column(stage.rawValue) + "\(index + 1) of \(count)".padded(to: 11)
                    + "\(subject): \(reasons[subject] ?? "")")
        case .progress(let stage, let subject, let index, let count, let progress):
            self.progress(
                column(stage.rawValue) + "\(index + 1) of \(count)".padded(to: 11) + subject + "  ", progress,
                remaining: count - index - 1)
        case .together(let stage, let done, let count, let progress):
            self.progress(
                column(stage.rawValue) + "\(done) of \(count)".padded(to: 11), progress, remaining: 0)
        case .finished(let stage, let subject, let index, let count, let seconds):
            line(
                column(stage.rawValue) + "\(index + 1) of \(count)".padded(to: 11)
                    + "\(subject) done in \(Console.duration(seconds))" + why(subject))
        case .note(let text):
            line(text)
        case .failed(let volume, let problem):
            line("\(volume)   failed: \(problem)")
        }
    }

    func show(_ event: DiagnosisEvent) {
        switch event {
        case .preparing(let event): show(event)
        case .started(let name, let subject, let index, let count):
            begin(name)
            reasons[name] = subject
            if isTerminal { line(place(name, index, count) + subject) }
        case .progress(let name, let index, let count, let progress):
            // Experiments differ, so that one says nothing of the time of those after it.
            self.progress(
                place(name, index, count), StepProgress(fraction: progress.fraction, detail: progress.detail),
                remaining: 0)
        case .finished(let name, let index, let count, let seconds):
            line(place(name, index, count) + "done in \(Console.duration(seconds))" + why(name))
        case .skipped(let name, let reason): line("\(name): \(reason)")
        }
    }

    /// What was said at the step's start, where no line did.
    private func why(_ subject: String) -> String { isTerminal ? "" : " (\(reasons[subject] ?? ""))" }

    /// Of work that is one step.
    func show(fraction: Double, of name: String) {
        if stage == nil { begin(name) }
        progress(column(name), StepProgress(fraction: fraction), remaining: 0)
    }

    /// Leaves no open line behind.
    func end() {
        if isLineOpen { write("\r\u{1B}[2K") }
        isLineOpen = false
    }

    private func place(_ name: String, _ index: Int, _ count: Int) -> String {
        name.padded(to: 18) + "\(index + 1) of \(count)".padded(to: 8)
    }

    private func begin(_ stage: String) {
        stepStart = Date()
        firstFraction = nil
        nextPlain = Self.firstPlain
        if self.stage != stage {
            self.stage = stage
            lastReason = nil
        }
    }

    /// - Parameter place: the stage, the step and its subject.
    private func progress(_ place: String, _ progress: StepProgress, remaining: Int) {
        if firstFraction == nil {
            // Preparation before the first step says nothing of the steps' rate.
            firstFraction = progress.fraction
            stepStart = Date()
        }
        let now = Date()
        if isTerminal {
            guard now.timeIntervalSince(lastDrawn) > 0.2 else { return }
            lastDrawn = now
            draw(
                place + bar(progress.fraction) + timeLeft(progress.fraction, after: remaining), progress)
        } else {
            guard now.timeIntervalSince(stepStart) > nextPlain else { return }
            nextPlain *= 2
            line(
                place + String(format: "%3.0f %%", progress.fraction * 100)
                    + (progress.detail.isEmpty ? "" : "  " + progress.detail)
                    + timeLeft(progress.fraction, after: remaining))
        }
    }

    private func timeLeft(_ fraction: Double, after remaining: Int) -> String {
        let done = fraction - (firstFraction ?? 0)
        let elapsed = Date().timeIntervalSince(stepStart)
        guard done > 0.01, elapsed > 10 else { return "" }
        let whole = elapsed / done
        let left = whole * (1 - fraction)
        if remaining == 0 { return "  \(Console.duration(left)) left" }
        return "  \(Console.duration(left)) left (all: \(Console.duration(left + whole * Double(remaining))))"
    }

    private func bar(_ fraction: Double) -> String {
        let width = 16
        let full = Int((fraction * Double(width)).rounded(.down))
        return String(repeating: "━", count: full) + String(repeating: "─", count: width - full)
            + String(format: " %3.0f %%", fraction * 100)
    }

    /// Draws the open line anew, cut to the terminal.
    private func draw(_ text: String, _ progress: StepProgress) {
        let whole = progress.detail.isEmpty ? text : text + "  " + progress.detail
        write("\r\u{1B}[2K" + whole.prefix(Console.width - 1))
        isLineOpen = true
    }

    /// A line that stays.
    private func line(_ text: String) {
        if isLineOpen { write("\r\u{1B}[2K") }
        isLineOpen = false
        write(text + "\n")
    }

    private func column(_ stage: String) -> String { stage.padded(to: 11) }

    private func write(_ text: some StringProtocol) {
        Console.write(text, to: STDERR_FILENO)
    }
}

extension String {
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
