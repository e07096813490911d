import Volumes

/// Where in a volume a member may sample.
struct SamplingGround: Sendable {
    let heldBack: [Box]
    /// Voxels that count and are not kept back.
    let annotated: Int
    /// The labels of those voxels, but for 0.
    let labels: Set<UInt32>
    /// Up to 256 voxels of each object, evenly spread over it in storage order.
    let objects: [[Int]]
    /// The boxes left beside those kept back.
    let boxes: [Box]
    /// By box and row, the voxels that count up to the end of the row.
    private let ends: [[Int]]
    private let shape: ZYX<Int>
    private let codes: Volume<UInt8>

    init(_ volume: PreparedVolume, heldBack: [Box]) {
        let (shape, codes, labels) = (volume.shape, volume.border.codes, volume.annotation.labels)
        boxes = heldBack.reduce([volume.annotation.annotatedBox]) { left, held in left.flatMap { $0.without(held) }
        }
        var total = 0
        var sizes: [UInt32: Int] = [:]
        ends = boxes.map { box in
            box.rows.map { number in
                for index in box.row(number, in: shape) where codes.voxels[index] != 0 {
                    total += 1
                    let label = labels.voxels[index]
                    if label != 0 { sizes[label, default: 0] += 1 }
                }
                return total
            }
        }
        var seen: [UInt32: Int] = [:]
        var voxels: [UInt32: [Int]] = [:]
        for row in boxes.lazy.flatMap({ box in box.rows.lazy.map { box.row($0, in: shape) } }) {
            for index in row where codes.voxels[index] != 0 && labels.voxels[index] != 0 {
                let label = labels.voxels[index]
                let place = seen[label, default: 0]
                seen[label] = place + 1
                let every = (sizes[label]! + 255) / 256
                if place % every == 0 { voxels[label, default: []].append(index) }
            }
        }
        self.labels = Set(sizes.keys)
        objects = voxels.keys.sorted().map { voxels[$0]! }
        annotated = total
        (self.heldBack, self.shape, self.codes) = (heldBack, shape, codes)
    }

    func drawObjectVoxel(_ random: inout SampleRandom) -> ZYX<Int> {
        let voxels = objects[random.below(objects.count)]
        return position(voxels[random.below(voxels.count)])
    }

    /// Any voxel that counts, every one equally likely.
    func drawVoxel(_ random: inout SampleRandom) -> ZYX<Int> {
        let place = random.below(annotated)
        let number = ends.firstIndex { place < $0.last ?? 0 } ?? 0
        let box = boxes[number]
        // Where most count, trying is faster than looking for it.
        for _ in 0..<64 {
            let offset = ZYX(random.below(box.shape.z), random.below(box.shape.y), random.below(box.shape.x))
            let voxel = box.origin + offset
            if codes[voxel.z, voxel.y, voxel.x] != 0 { return voxel }
        }
        return counted(place, in: number)
    }

    /// The voxel that counts with a number from 0 among those of all boxes.
    private func counted(_ place: Int, in number: Int) -> ZYX<Int> {
        let (box, ends) = (boxes[number], ends[number])
        var (low, high) = (0, ends.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if ends[middle] > place { high = middle } else { low = middle + 1 }
        }
        let row = box.row(low, in: shape).reversed().filter { codes.voxels[$0] != 0 }
        return position(row[ends[low] - place - 1])
    }

    private func position(_ index: Int) -> ZYX<Int> {
        ZYX(index / (shape.y * shape.x), index / shape.x % shape.y, index % shape.x)
    }
}

extension Box {
    /// Numbers of the rows along x.
    fileprivate var rows: Range<Int> { 0..<shape.z * shape.y }

    /// The places of a row in the storage of a volume that holds the box.
    fileprivate func row(_ number: Int, in whole: ZYX<Int>) -> Range<Int> {
        let (z, y) = number.quotientAndRemainder(dividingBy: shape.y)
        let start = ((origin.z + z) * whole.y + origin.y + y) * whole.x + origin.x
        return start..<start + shape.x
    }

    /// The boxes that make up this one without `hole`: at most two along each axis.
    func without(_ hole: Box) -> [Box] {
        let hole = intersection(hole)
        if hole.isEmpty { return [self] }
        var rest = self
        var parts: [Box] = []
        for axis in [\ZYX<Int>.z, \.y, \.x] {
            var before = rest
            before.shape[keyPath: axis] = hole.origin[keyPath: axis] - rest.origin[keyPath: axis]
            var after = rest
            after.origin[keyPath: axis] = hole.end[keyPath: axis]
            after.shape[keyPath: axis] = rest.end[keyPath: axis] - hole.end[keyPath: axis]
            parts += [before, after].filter { !$0.isEmpty }
            rest.origin[keyPath: axis] = hole.origin[keyPath: axis]
            rest.shape[keyPath: axis] = hole.shape[keyPath: axis]
        }
        return parts
    }
}
