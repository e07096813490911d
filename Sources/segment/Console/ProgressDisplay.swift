import Foundation
import Pipeline

/// Shows a run: on a terminal one line a stage that is drawn anew, elsewhere plain lines now and then.
final class ProgressDisplay {
    private let isTerminal = Console.isTerminal
    private var stepStart = Date()
    private var stage: Stage?
    private var lastDrawn = Date.distantPast
    private var lastPlain = Date.distantPast
    private var isLineOpen = false
    /// A long reason is said once.
    private var lastReason: String?
    /// Where the running step stood when it began, so that a resumed one's rate is its own.
    private var firstFraction: Double?
    /// Seconds of the stage's finished steps, to tell how long the rest takes.
    private var finishedSeconds: [Double] = []

    func show(_ event: RunEvent) {
        switch event {
        case .kept(let stage, let count):
            line(column(stage) + "\(count) of \(count)".padded(to: 11) + "kept")
        case .started(let stage, let subject, let index, let count, let reason):
            begin(stage)
            let why = reason == lastReason && reason.count > 12 ? "likewise" : reason
            lastReason = reason
            line(column(stage) + "\(index + 1) of \(count)".padded(to: 11) + "\(subject): \(why)")
        case .progress(let stage, let subject, let index, let count, let progress):
            self.progress(stage, subject, index, count, progress)
        case .finished(let stage, let subject, let index, let count, let seconds):
            finishedSeconds.append(seconds)
            line(
                column(stage) + "\(index + 1) of \(count)".padded(to: 11)
                    + "\(subject) done in \(Console.duration(seconds))")
        case .note(let text):
            line(text)
        case .failed(let volume, let problem):
            line("\(volume)   failed: \(problem)")
        }
    }

    private func begin(_ stage: Stage) {
        stepStart = Date()
        firstFraction = nil
        lastPlain = Date()
        if self.stage != stage {
            self.stage = stage
            lastReason = nil
            finishedSeconds = []
        }
    }

    private func progress(_ stage: Stage, _ subject: String, _ index: Int, _ count: Int, _ progress: StepProgress) {
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
                column(stage) + "\(index + 1) of \(count)".padded(to: 11) + subject + "  "
                    + bar(progress.fraction) + timeLeft(progress.fraction, after: count - index - 1), progress)
        } else {
            guard now.timeIntervalSince(lastPlain) > 15 else { return }
            lastPlain = now
            line(
                column(stage) + "\(index + 1) of \(count)".padded(to: 11) + subject
                    + String(format: "  %3.0f %%", progress.fraction * 100)
                    + (progress.detail.isEmpty ? "" : "  " + progress.detail)
                    + timeLeft(progress.fraction, after: count - index - 1))
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

    private func column(_ stage: Stage) -> String { stage.rawValue.padded(to: 11) }

    private func write(_ text: some StringProtocol) {
        Console.write(text, to: STDERR_FILENO)
    }
}

extension String {
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
