import Labeling
import Volumes

/// Numbers from 1 for labels, in the order in which they turn up.
struct LabelNumbers: Sendable {
    private(set) var names: [UInt64] = []
    private var numbers: [UInt64: UInt32] = [0: 0]

    /// - Precondition: all of the labels are known.
    func numbered(_ labels: Volume<UInt64>) -> Volume<UInt32> { labels.map { numbers[$0] ?? 0 } }

    /// - Throws: `LabelingFault.tooManyObjects` where 32 bits cannot number them.
    mutating func number(_ labels: Volume<UInt64>) throws -> Volume<UInt32> {
        var (last, number): (UInt64, UInt32) = (0, 0)
        var result = Volume<UInt32>(shape: labels.shape)
        for (place, label) in labels.voxels.enumerated() {
            if label != last {
                if numbers[label] == nil {
                    guard names.count < UInt32.max else { throw LabelingFault.tooManyObjects(names.count + 1) }
                    names.append(label)
                    numbers[label] = UInt32(names.count)
                }
                (last, number) = (label, numbers[label] ?? 0)
            }
            result.voxels[place] = number
        }
        return result
    }
}
