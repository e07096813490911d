import Foundation
import Volumes

/// Steps of a stage that are done side by side, each by a process of its own: members of the ensemble, which share nothing.
///
/// Each has its share of the threads and, of several GPUs, one to itself, also where fewer steps are left than are done at
/// once, so that what comes out does not depend on what was done before.
struct SideBySide {
    /// A step, and its place among those of its stage.
    struct Work {
        let step: any Step
        let index: Int
        /// Why it is not kept.
        let reason: String
    }

    private struct Running {
        let work: Work
        let process: ChildProcess
        let slot: Int
        let start = Date()
        var fraction = 0.0
    }

    let pipeline: String
    let executable: String
    let context: StepContext
    /// Steps that are done at a time.
    let atOnce: Int
    /// Steps of the stage, those included that are kept.
    let count: Int
    let observe: (RunEvent) -> Void

    /// So long, in seconds, a step may take to save itself when it is asked to stop.
    private static let grace = 300

    /// Does them all; where one fails, or the user asks to stop, the others save themselves.
    ///
    /// - Throws: `Interruption`, which says what was saved; what a step failed with.
    func run(_ works: [Work]) throws {
        var waiting = works[...]
        var running: [Running] = []
        do {
            while !waiting.isEmpty || !running.isEmpty {
                if context.shouldStop() { throw Interruption() }
                while running.count < atOnce, let work = waiting.popFirst() {
                    let slot = (0..<atOnce).first { slot in !running.contains { $0.slot == slot } } ?? 0
                    running.append(try start(work, slot: slot))
                }
                if try look(at: &running) { tell(of: running, waiting: waiting.count, all: works.count) }
                usleep(5_000)
            }
        } catch {
            for child in running { child.process.askToStop() }
            let places = running.compactMap { $0.process.stopped(within: Self.grace).place }
            throw error is Interruption && !places.isEmpty
                ? Interruption(place: places.joined(separator: ", ")) : error
        }
    }

    private func start(_ work: Work, slot: Int) throws -> Running {
        let step = work.step
        observe(
            .started(step.stage, subject: step.subject, index: work.index, count: count, reason: work.reason))
        let order = StepOrder(
            pipeline: pipeline, workFolder: context.cache.root, device: context.device,
            threads: max(1, context.threads / atOnce), memory: context.memory.total / atOnce,
            executable: executable, key: step.key)
        let process = try ChildProcess(
            executable, try WorkerOrder.step(order).arguments, title: step.title, isReading: false,
            patience: .infinity, environment: environment(of: slot)
        )
        return Running(work: work, process: process, slot: slot)
    }

    /// One of the GPUs that this process sees, by its place among them.
    private func environment(of slot: Int) -> [String: String] {
        guard context.device == .cuda else { return [:] }
        let name = "CUDA_VISIBLE_DEVICES"
        let seen = ProcessInfo.processInfo.environment[name]?.split(separator: ",").map(String.init)
        let devices = seen ?? (0..<context.device.count).map(String.init)
        return devices.isEmpty ? [:] : [name: devices[slot % devices.count]]
    }

    /// - Returns: Whether any got on.
    private func look(at running: inout [Running]) throws -> Bool {
        var hasNews = false
        for index in running.indices.reversed() {
            let (work, process) = (running[index].work, running[index].process)
            let answer = try process.answer { progress in
                hasNews = true
                running[index].fraction = progress.fraction
                if let note = progress.note { observe(.note("\(work.step.title): \(note)")) }
            }
            guard answer != nil else { continue }
            observe(
                .finished(
                    work.step.stage, subject: work.step.subject, index: work.index, count: count,
                    seconds: Date().timeIntervalSince(running[index].start)))
            running.remove(at: index)
        }
        return hasNews
    }

    private func tell(of running: [Running], waiting: Int, all: Int) {
        guard let stage = running.first?.work.step.stage else { return }
        let left = Double(waiting + running.count) - running.reduce(0) { $0 + $1.fraction }
        let each = running.map { "\($0.work.step.subject) \(Int(100 * $0.fraction)) %" }
        observe(
            .together(
                stage, done: count - waiting - running.count, count: count,
                StepProgress(fraction: 1 - left / Double(all), detail: each.joined(separator: "  "))))
    }
}
