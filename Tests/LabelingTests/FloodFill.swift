import Labeling
import Volumes

/// Components found the slow way: every unlabelled voxel floods what it reaches.
func floodFill<Label: VoxelElement>(
    _ volume: Volume<Label>, _ connectivity: Connectivity, alike: (Label, Label) -> Bool
) -> Volume<UInt32> {
    let axes =
        switch connectivity {
        case .sides, .faces: 1
        case .sidesAndCorners, .edges: 2
        case .corners: 3
        }
    let depth = connectivity.isWithinSections ? 0 : 1
    var labels = Volume<UInt32>(shape: volume.shape)
    var count: UInt32 = 0
    for start in 0..<volume.shape.count where volume.voxels[start] != 0 && labels.voxels[start] == 0 {
        count += 1
        labels.voxels[start] = count
        var open = [start]
        while let voxel = open.popLast() {
            let x = voxel % volume.shape.x
            let y = voxel / volume.shape.x % volume.shape.y
            let z = voxel / volume.shape.x / volume.shape.y
            for dz in -depth...depth {
                for dy in -1...1 {
                    for dx in -1...1 where 1...axes ~= abs(dz) + abs(dy) + abs(dx) {
                        let next = ZYX(z + dz, y + dy, x + dx)
                        guard Box(volume.shape).contains(Box(origin: next, shape: ZYX(1, 1, 1))) else { continue }
                        let index = volume.index(next.z, next.y, next.x)
                        guard labels.voxels[index] == 0, alike(volume.voxels[voxel], volume.voxels[index])
                        else { continue }
                        labels.voxels[index] = count
                        open.append(index)
                    }
                }
            }
        }
    }
    return labels
}
