/// What the loss is multiplied by so that small gradients in f16 are not 0: as large as gradients stay finite
/// (Micikevicius et al. 2018, with the figures of PyTorch's `GradScaler`).
package struct LossScale: Equatable {
    package private(set) var value = 65_536.0
    /// Since it last changed.
    package private(set) var steps = 0

    private static let growthInterval = 2_000

    package init() {}

    package init(value: Double, steps: Int) {
        self.value = value
        self.steps = steps
    }

    /// After a step whose gradients were finite.
    package mutating func stepped() {
        steps += 1
        if steps == Self.growthInterval { (value, steps) = (2 * value, 0) }
    }

    /// After gradients that were not; false where a smaller scale would not help.
    package mutating func shrink() -> Bool {
        guard value > 1 else { return false }
        (value, steps) = (value / 2, 0)
        return true
    }
}
