import Foundation
import Volumes

/// What a network made of a volume, as logits.
struct LogitValues: Sendable {
    let file: String
    let store: BlockStore

    /// - Throws: `FileFault` where a value is no probability.
    func logits(in box: Box) throws -> Volume<Int16> {
        let voxels = try store.read(box)
        switch store.layout.elementType {
        case .int16:
            guard store.layout.attributes["units_per_logit"] == .number(Double(LogitScale.unitsPerLogit)) else {
                throw FileFault(file, "holds int16, which are neither probabilities nor logits that segment wrote")
            }
            return voxels.volume(of: Int16.self)
        case .uint8: return voxels.volume(of: UInt8.self).map { logit(Float($0) / 255) }
        case .uint16: return voxels.volume(of: UInt16.self).map { logit(Float($0) / 65_535) }
        case .float32, .float64:
            let probabilities = try voxels.converted(to: Float.self)
            if let place = probabilities.voxels.firstIndex(where: { !(0...1).contains($0) }) {
                let (z, rest) = place.quotientAndRemainder(dividingBy: box.shape.y * box.shape.x)
                let (y, x) = rest.quotientAndRemainder(dividingBy: box.shape.x)
                throw FileFault(
                    file,
                    "holds \(probabilities.voxels[place]) at \((box.origin + ZYX(z, y, x)).place); expected probabilities "
                        + "from 0 to 1")
            }
            return probabilities.map(logit)
        default:
            throw FileFault(
                file,
                "holds \(store.layout.elementType.rawValue); expected probabilities as float, uint8 or uint16")
        }
    }

    private func logit(_ probability: Float) -> Int16 {
        // The ends become the lowest and the highest logit.
        LogitScale.encode(log(probability) - log1p(-probability))
    }
}
