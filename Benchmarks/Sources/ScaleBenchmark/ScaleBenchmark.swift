import Foundation
import Synchronization
import Volumes

/// Volumes of any size for `Benchmarks/scale.sh`: five members' logits, and whether the labels made of them are right.
///
///     ScaleBenchmark make FOLDER SIDE      FOLDER/member-1.zarr to member-5.zarr, SIDE³ voxels
///     ScaleBenchmark check LABELS SIDE     a file of labels against the generator's own objects
@main
struct ScaleBenchmark {
    static let threads = ProcessInfo.processInfo.activeProcessorCount

    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let side = Int(arguments[3]), side >= SyntheticEnsemble.cell else {
            fatalError("usage: ScaleBenchmark make FOLDER SIDE | check LABELS SIDE")
        }
        let ensemble = SyntheticEnsemble(shape: ZYX(repeating: side), seed: 1)
        switch arguments[1] {
        case "make": try make(ensemble, in: arguments[2])
        case "check": try check(ensemble, arguments[2])
        default: fatalError("unknown task \(arguments[1])")
        }
    }

    static func make(_ ensemble: SyntheticEnsemble, in folder: String) throws {
        let stores = try (1...SyntheticEnsemble.members).map {
            try BlockStore.create(
                at: "\(folder)/member-\($0).zarr",
                BlockStore.Layout(
                    shape: ensemble.shape, elementType: .int16, shard: ZYX(64, 256, 256), chunk: ZYX(32, 64, 64),
                    voxelSize: VoxelSize(ZYX(8, 8, 8), .nanometer),
                    attributes: ["units_per_logit": .number(Double(LogitScale.unitsPerLogit))]))
        }
        try forEach(stores[0].shards) { shard in
            for (store, logits) in zip(stores, ensemble.logits(in: shard)) {
                try store.writeShard(shard, VoxelBuffer(logits))
            }
        }
    }

    /// Labels and objects must be the same but for their numbers: each label one object, each object one label.
    static func check(_ ensemble: SyntheticEnsemble, _ path: String) throws {
        let reader = try VolumeFile.open(path)
        guard reader.info.shape == ensemble.shape else { fatalError("\(path) has shape \(reader.info.shape)") }
        let reading = Mutex(reader)
        struct State {
            var objects: [UInt32: UInt32] = [:]
            var labels: [UInt32: UInt32] = [:]
            var blocks: [UInt32: Int] = [:]
            var wrong = 0
            var labelled = 0
        }
        let state = Mutex(State())
        try forEach(Box(ensemble.shape).cells(of: ZYX(64, 256, 256))) { shard in
            let truth = ensemble.truth(in: shard)
            let labels = try reading.withLock { try $0.read(shard) }.converted(to: UInt32.self)
            var pairs: [UInt64: Int] = [:]
            var last: (key: UInt64, count: Int) = (0, 0)
            for (object, label) in zip(truth.voxels, labels.voxels) {
                let key = UInt64(object) << 32 | UInt64(label)
                if key == last.key {
                    last.count += 1
                } else {
                    pairs[last.key, default: 0] += last.count
                    last = (key, 1)
                }
            }
            pairs[last.key, default: 0] += last.count
            state.withLock { state in
                for (key, count) in pairs where key != 0 && count > 0 {
                    let (object, label) = (UInt32(key >> 32), UInt32(truncatingIfNeeded: key))
                    let isRight =
                        object != 0 && label != 0 && state.labels[object, default: label] == label
                        && state.objects[label, default: object] == object
                    if isRight {
                        state.labels[object] = label
                        state.objects[label] = object
                        state.blocks[object, default: 0] += 1
                        state.labelled += count
                    } else {
                        state.wrong += count
                    }
                }
            }
        }
        state.withLock { state in
            let counts = state.blocks.values
            print(
                "\(state.labels.count) objects, \(counts.count { $0 > 1 }) of them in several blocks, "
                    + "\(counts.count { $0 > 8 }) in more than eight; \(state.labelled) voxels right, \(state.wrong) wrong"
            )
            exit(state.wrong == 0 && !state.labels.isEmpty ? 0 : 1)
        }
    }

    /// Several blocks at a time.
    static func forEach(_ blocks: [Box], _ body: @Sendable (Box) throws -> Void) throws {
        let next = Atomic(0)
        let failure = Mutex<(any Error)?>(nil)
        DispatchQueue.concurrentPerform(iterations: threads) { _ in
            while failure.withLock({ $0 == nil }) {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < blocks.count else { return }
                do { try body(blocks[index]) } catch { failure.withLock { $0 = $0 ?? error } }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
