import Foundation
import Tensors

/// The device, precision, threads and memory of a run, resolved once.
struct Execution {
    let device: Device
    let precision: Precision
    let threads: Int
    /// Members that are trained side by side, each with its share of the threads.
    let membersAtOnce: Int
    /// Bytes a tile's prediction may take.
    let memory: Int

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
        // On a GPU tiles lie in its own memory, of which convolutions want some beside.
        let free = device == .cuda ? device.freeMemory.map { Int(0.7 * Double($0)) } : nil
        memory = settings.memory ?? min(free ?? .max, Machine.availableMemory / 2)
    }

    /// Sets the number of threads, once, before any tensor is made; this process computes and ends.
    func apply() throws {
        if device == .cpu { Libtorch.keepMemory() }
        try Libtorch.setThreads(threads)
    }

    /// For example `cpu (2 threads, bf16)`.
    var description: String {
        "\(device.rawValue) (\(threads) thread\(threads == 1 ? "" : "s"), \(precision.rawValue))"
            + (membersAtOnce > 1 ? ", \(membersAtOnce) members at once" : "")
    }
}
