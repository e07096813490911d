import Reports
import Volumes

/// A plane through a volume, as fine as a picture shows it: of long sides every second, third or later voxel. It is read
/// in bands, so that no plane of a large volume is ever whole in memory.
package struct PicturePlane {
    let axis: OverviewPlane.Axis
    /// Where on the axis, in voxels.
    let position: Int
    private let whole: Box
    /// The axes down and to the right.
    private let rows, columns: WritableKeyPath<ZYX<Int>, Int>
    private let step: Int

    /// Voxels along the sides of a picture, at most.
    private static let longest = 2048

    /// - Parameter voxel: that the plane goes through; nil for the middle.
    package init(_ axis: OverviewPlane.Axis, of shape: ZYX<Int>, through voxel: ZYX<Int>? = nil) {
        self.axis = axis
        let across: WritableKeyPath<ZYX<Int>, Int>
        (across, rows, columns) =
            switch axis {
            case .z: (\.z, \.y, \.x)
            case .y: (\.y, \.z, \.x)
            case .x: (\.x, \.z, \.y)
            }
        position = (voxel ?? shape.map { $0 / 2 })[keyPath: across]
        var whole = Box(shape)
        whole.origin[keyPath: across] = position
        whole.shape[keyPath: across] = 1
        self.whole = whole
        step = max(1, (max(shape[keyPath: rows], shape[keyPath: columns]) + Self.longest - 1) / Self.longest)
    }

    package var width: Int { (whole.shape[keyPath: columns] + step - 1) / step }
    package var height: Int { (whole.shape[keyPath: rows] + step - 1) / step }

    /// The size of a pixel in nm; 1 of voxels whose size is not known.
    package func pixelSize(_ voxelSize: VoxelSize?) -> (horizontal: Double, vertical: Double) {
        let sides = voxelSize?.nanometers.array ?? [1, 1, 1]
        let (horizontal, vertical) =
            switch axis {
            case .z: (sides[2], sides[1])
            case .y: (sides[2], sides[0])
            case .x: (sides[1], sides[0])
            }
        return (horizontal * Double(step), vertical * Double(step))
    }

    /// Pixels row by row.
    package func pixels<Element: VoxelElement>(of store: BlockStore, as _: Element.Type) throws -> [Element] {
        let width = whole.shape[keyPath: columns]
        var band = whole.shape
        band[keyPath: rows] = min(band[keyPath: rows], store.layout.chunk[keyPath: rows])
        var pixels: [Element] = []
        pixels.reserveCapacity(self.width * height)
        for band in whole.cells(of: band) {
            let voxels = try store.read(band).converted(to: Element.self).voxels
            for row in 0..<band.shape[keyPath: rows] where (band.origin[keyPath: rows] + row) % step == 0 {
                pixels += stride(from: row * width, to: (row + 1) * width, by: step).lazy.map { voxels[$0] }
            }
        }
        return pixels
    }

    /// The labels of the pixels, with other numbers where these take more than 32 bits.
    func labels(of store: BlockStore) throws -> [UInt32] {
        let ids = try pixels(of: store, as: UInt64.self)
        return try compactLabels(VoxelBuffer(Volume(shape: ZYX(1, height, width), voxels: ids))).voxels
    }
}
