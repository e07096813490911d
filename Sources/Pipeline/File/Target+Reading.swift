import Training
import Volumes

extension YAMLValue {
    /// The `target:` of a pipeline file: a head, or a list of heads.
    func target() throws -> Target {
        let heads = try isList ? elements().map { try $0.head() } : [head()]
        guard !heads.isEmpty else { throw misfit("at least one target") }
        for (place, head) in heads.enumerated() where heads.prefix(place).contains(where: { $0.isLike(head) }) {
            throw fault("\(name) names the same target twice")
        }
        return Target(heads)
    }

    private func head() throws -> Target.Head {
        let expected = "foreground, boundary, affinities, {affinities: [1, 4, 9]} or {classes: [1, 2]}"
        guard isMapping else {
            switch try text() {
            case "foreground": return .foreground
            case "boundary": return .boundary
            case "affinities": return .affinities(Target.usualDistances)
            default: throw misfit(expected, among: ["foreground", "boundary", "affinities"])
            }
        }
        let keys = try mapping(of: ["affinities", "classes"])
        switch (keys["affinities"], keys["classes"]) {
        case (let affinities?, nil): return .affinities(try affinities.distances())
        case (nil, let classes?): return .classes(try classes.classes())
        default: throw misfit(expected)
        }
    }

    private func distances() throws -> [Target.Distance] {
        let distances = try elements().map { element in
            if element.isList {
                let offset = try element.triple(atLeast: -256, atMost: 256)
                guard offset != [0, 0, 0] else { throw element.fault("\(element.name) leads to the voxel itself") }
                return Target.Distance.offset(ZYX(offset[0], offset[1], offset[2]))
            }
            if let voxels = Int(try element.text()) {
                guard (1...256).contains(voxels) else { throw element.misfit("from 1 to 256 voxels") }
                return .voxels(Double(voxels))
            }
            return .nanometers(try element.length().nanometers)
        }
        guard !distances.isEmpty else { throw misfit("at least one distance, such as [1, 4, 9]") }
        return distances
    }

    private func classes() throws -> [UInt32] {
        let classes = try elements().map { UInt32(try $0.integer(atLeast: 1, atMost: Int(UInt32.max))) }
        guard !classes.isEmpty, Set(classes).count == classes.count else {
            throw misfit("labels of classes, each once, such as [1, 2, 3]")
        }
        return classes
    }
}

extension Target {
    /// Nearest neighbours, and two farther ones that make a network see more than the next membrane.
    static let usualDistances: [Distance] = [.voxels(1), .voxels(4), .voxels(9)]

    /// The names of its heads, as in a pipeline file.
    var names: [String] { heads.map(\.name) }
}

extension Target.Head {
    var name: String {
        switch self {
        case .foreground: "foreground"
        case .boundary: "boundary"
        case .affinities: "affinities"
        case .classes: "classes"
        }
    }

    fileprivate func isLike(_ other: Target.Head) -> Bool { name == other.name }
}
