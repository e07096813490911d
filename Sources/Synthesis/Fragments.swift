import Volumes

/// Makes each label one 6-connected component: its largest one stays.
///
/// - Parameter fill: whether the other components, and voxels of label 0, go to the labels beside them;
///   otherwise they become 0.
/// - Returns: labels renumbered 1…n in their old order.
func withoutFragments(_ labels: [UInt32], shape: ZYX<Int>, fill: Bool) -> [UInt32] {
    var labels = labels
    let components = Components(labels, shape: shape)
    var largest: [UInt32: Int] = [:]
    for (component, size) in components.sizes.enumerated() {
        let label = components.labels[component]
        if size > largest[label].map({ components.sizes[$0] }) ?? 0 { largest[label] = component }
    }
    var loose: [Int] = []
    for index in labels.indices {
        let label = labels[index]
        if label == 0 || largest[label] != Int(components.ids[index]) {
            labels[index] = 0
            loose.append(index)
        }
    }
    while fill && !loose.isEmpty && loose.count < labels.count {
        // Layer by layer, from the labels of the layer before.
        let before = labels
        loose = loose.filter { index in
            var label: UInt32 = 0
            forEachNeighbour(of: index, shape) { if label == 0 { label = before[$0] } }
            labels[index] = label
            return label == 0
        }
    }
    let order = Set(labels).subtracting([0]).sorted()
    let numbers = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, UInt32($0 + 1)) })
    var table = [UInt32](repeating: 0, count: Int(order.last ?? 0) + 1)
    for (label, number) in numbers { table[Int(label)] = number }
    return labels.map { table[Int($0)] }
}

/// The 6-connected components of equal labels.
private struct Components {
    private(set) var ids: [Int32]
    private(set) var sizes: [Int] = []
    private(set) var labels: [UInt32] = []

    init(_ values: [UInt32], shape: ZYX<Int>) {
        ids = [Int32](repeating: -1, count: values.count)
        var stack: [Int] = []
        for start in values.indices where ids[start] < 0 && values[start] != 0 {
            let id = Int32(sizes.count)
            var size = 0
            ids[start] = id
            stack.append(start)
            while let index = stack.popLast() {
                size += 1
                forEachNeighbour(of: index, shape) { neighbour in
                    guard ids[neighbour] < 0, values[neighbour] == values[start] else { return }
                    ids[neighbour] = id
                    stack.append(neighbour)
                }
            }
            sizes.append(size)
            labels.append(values[start])
        }
    }
}

/// Calls `body` with the indices of a voxel's neighbours that share a face.
@inline(__always)
func forEachNeighbour(of index: Int, _ shape: ZYX<Int>, _ body: (Int) -> Void) {
    let plane = shape.y * shape.x
    let inPlane = index % plane
    let x = index % shape.x
    if index >= plane { body(index - plane) }
    if index < plane * (shape.z - 1) { body(index + plane) }
    if inPlane >= shape.x { body(index - shape.x) }
    if inPlane < plane - shape.x { body(index + shape.x) }
    if x > 0 { body(index - 1) }
    if x < shape.x - 1 { body(index + 1) }
}
