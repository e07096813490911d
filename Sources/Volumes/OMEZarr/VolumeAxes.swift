/// Which axis of an array is which of a volume.
struct VolumeAxes: Sendable, Equatable {
    enum Role: Sendable, Equatable {
        case time, channel, z, y, x
        /// Must be of length 1.
        case other

        /// The role by NGFF's type, or by the usual name where that is missing; nil for an axis of space.
        init?(name: String, type: String?) {
            switch (type, name) {
            case ("time", _), (nil, "t"): self = .time
            case ("channel", _), (nil, "c"): self = .channel
            case ("space", _), (nil, _): return nil
            default: self = .other
            }
        }

        init?(spatial name: String) {
            switch name.lowercased() {
            case "z": self = .z
            case "y": self = .y
            case "x": self = .x
            default: return nil
            }
        }
    }

    let roles: [Role]

    /// - Throws: `FileFault` where there are no y and x, a role twice, or a further axis that is not of length 1.
    init(_ roles: [Role], shape: [Int], of source: String) throws {
        self.roles = roles
        let isUnique = [Role.time, .channel, .z, .y, .x].allSatisfy { role in roles.count { $0 == role } <= 1 }
        guard isUnique, roles.contains(.y), roles.contains(.x) else {
            throw FileFault(
                source, "has the shape \(Self.list(shape)); expected the axes y and x, with at most z, c, t")
        }
        guard zip(roles, shape).allSatisfy({ $0 != .other || $1 == 1 }) else {
            throw FileFault(
                source,
                "has the shape \(Self.list(shape)) with an axis that is neither time, channel, z, y nor x; "
                    + "expected it to be of length 1")
        }
    }

    /// The roles of an array without NGFF's by the names it gives its axes; nil where those do not say.
    static func named(_ names: [String?]?, count: Int) -> [Role]? {
        guard let names, names.count == count else { return nil }
        let named = names.map { name -> Role in
            guard let name = name?.lowercased() else { return .other }
            return Role(spatial: name) ?? (name == "t" || name == "time" ? .time : nil)
                ?? (name == "c" || name == "channel" ? .channel : .other)
        }
        return named.contains(.y) && named.contains(.x) ? named : nil
    }

    /// The roles where nothing is said of them: the last of t, c, z, y, x.
    static func usual(count: Int) -> [Role] {
        let usual: [Role] = [.time, .channel, .z, .y, .x]
        return [Role](repeating: .other, count: max(0, count - usual.count)) + usual.suffix(count)
    }

    /// The roles of the axes of space: by their names, or else by their order; nil where they are not two or three.
    static func spatial(names: [String], among indices: [Int]) -> [Int: Role]? {
        guard indices.count == 2 || indices.count == 3 else { return nil }
        let named = indices.compactMap { Role(spatial: names[$0]) }
        let isComplete = named.count == indices.count && named.contains(.y) && named.contains(.x)
        let usual: [Role] = [.z, .y, .x]
        let roles =
            isComplete && Set(named.map { "\($0)" }).count == named.count ? named : usual.suffix(indices.count)
        return Dictionary(uniqueKeysWithValues: zip(indices, roles))
    }

    func index(_ role: Role) -> Int? { roles.firstIndex(of: role) }

    /// The length of an axis, 1 where the array has none such.
    func length(_ role: Role, in shape: [Int]) -> Int { index(role).map { shape[$0] } ?? 1 }

    /// z, y and x of a shape.
    func spatial(_ shape: [Int]) -> ZYX<Int> {
        ZYX(length(.z, in: shape), length(.y, in: shape), length(.x, in: shape))
    }

    /// What axes that have no names are taken as, and how to name them; nil where they are z, y and x alone.
    func guess(_ shape: [Int], naming format: String) -> String? {
        guard length(.channel, in: shape) > 1 || length(.time, in: shape) > 1 else { return nil }
        let letters: [(Role, String)] = [(.time, "t"), (.channel, "c"), (.z, "z"), (.y, "y"), (.x, "x")]
        let names = letters.filter { index($0.0) != nil }.map { $0.1 }.joined(separator: ", ")
        let key = ["Zarr v2": "_ARRAY_DIMENSIONS in .zattrs", "Zarr v3": "dimension_names in zarr.json"][format]
        return
            "its axes, \(Self.list(shape)), have no names and are taken as \(names); where they are others, name them by "
            + (key ?? "axes in attributes.json")
    }

    private static func list(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: " × ") }
}
