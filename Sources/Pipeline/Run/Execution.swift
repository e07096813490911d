import Foundation
import Tensors

/// The device, precision, threads and memory of a run, resolved once.
struct Execution {
    let device: Device
    let precision: Precision
    let threads: Int
    /// Members that are trained side by side, each with its share of the threads.
    let membersAtOnce: Int
    let memory: MemoryBudget
    /// Bytes that a tile's prediction may take: of a GPU's own memory there.
    let tileMemory: Int

    /// - Parameter chosen: what `precision: auto` came to before, and where it is kept.
    init(_ settings: ExecutionSettings, _ options: RunOptions, _ chosen: inout ChosenPrecision) throws {
        device = try Device.resolve(options.device ?? settings.device)
        switch settings.precision {
        case .auto: precision = chosen.precision(on: device)
        case .f32: precision = .f32
        case .bf16: precision = .bf16
        case .f16:
            guard device == .cuda else { throw TensorError.precisionMissing(settings.precision.rawValue) }
            precision = .f16
        }
        threads = options.threads ?? settings.threads ?? Machine.processors
        membersAtOnce = settings.membersAtOnce ?? device.count
        memory = MemoryBudget(given: options.memory ?? settings.memory)
        // On a GPU convolutions want some memory beside.
        let free = device == .cuda ? device.freeMemory.map { Int(0.7 * Double($0)) } : nil
        tileMemory = min(free ?? .max, memory.tiles)
    }

    /// Sets the number of threads, once, before any tensor is made; this process computes and ends.
    func apply() throws {
        if device == .cpu { Libtorch.keepMemory() } else { try Libtorch.keepDigits(precision == .f32) }
        try Libtorch.setThreads(threads)
    }

    /// For example `cpu (2 threads, bf16)`.
    var description: String {
        "\(device.rawValue) (\(threads) thread\(threads == 1 ? "" : "s"), \(precision.rawValue))"
            + (membersAtOnce > 1 ? ", \(membersAtOnce) members at once" : "")
    }
}

/// The memory that a run may take.
struct MemoryBudget {
    /// Bytes, of this process and of those that it has read files.
    let total: Int
    /// What must not be exceeded: the same where it was given, else all that is free.
    let limit: Int
    let isGiven: Bool

    /// - Parameter given: nil for half of what is free.
    init(given: Int?) {
        let free = Machine.availableMemory
        (total, limit) = (given ?? free / 2, given ?? free)
        isGiven = given != nil
    }

    /// What is left for volumes and networks at work.
    var work: Int { max(0, total - Self.program) }

    /// Of that, what a prediction keeps of an image's chunks that tiles have in common.
    var keptChunks: Int { work / 8 }

    /// What is left of `work` for tiles, and of what `work` so many bytes are left.
    var tiles: Int { work - keptChunks }
    static func work(forTilesOf bytes: Int) -> Int { bytes * 8 / 7 + 1 }

    /// How many pieces of work that take so many bytes each fit; one in any case.
    func pieces(of bytes: Int, threads: Int) -> Int { max(1, min(threads, work / max(1, bytes))) }

    /// What is said of work that takes more: the least that will do, rounded up, and how to give it.
    ///
    /// - Parameter limit: what there is for it; nil: `limit`.
    func shortage(_ work: String, takes bytes: Int, of limit: Int? = nil) -> String {
        let (mebibytes, limit) = (bytes >> 20 + 1, limit ?? self.limit)
        let had = "\(limit >> 20) MiB are " + (isGiven ? "given" : "free for it")
        return "\(work) takes \(mebibytes) MiB of memory at least, and \(had)"
            + (isGiven || limit < self.limit ? "; give --memory \(mebibytes)MiB or more" : "")
    }

    /// What the program takes with its libraries, which is some 200 MiB, and what the heap keeps that is free.
    static let program = 320 << 20
}
