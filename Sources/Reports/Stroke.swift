/// How a chart's line is drawn, so that lines are told apart where they share a colour or lie on one another.
public enum Stroke: Int, Sendable, CaseIterable {
    case solid, dashed, dotted, dashDotted, longDashed

    /// The one of a place in a list; they begin anew after the last.
    public init(place: Int) {
        self = Self.allCases[place % Self.allCases.count]
    }

    /// Lengths in pixels, drawn and left out by turns; empty for a line without gaps.
    var pattern: [Double] {
        switch self {
        case .solid: []
        case .dashed: [6, 4]
        case .dotted: [2, 3]
        case .dashDotted: [10, 3, 2, 3]
        case .longDashed: [16, 5]
        }
    }
}
