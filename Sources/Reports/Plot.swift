import Foundation

/// A line chart: what a training's losses or a threshold's scores look like.
public struct Plot: Sendable {
    public struct Series: Sendable {
        /// The legend's; a series without a name is not in it.
        public var name: String
        /// A value that is not finite breaks the line, as does one that is not positive on a logarithmic axis.
        public var points: [(x: Double, y: Double)]
        public var isDashed: Bool
        /// The series whose colour this one shares; nil for a colour of its own.
        public var colorOf: String?

        public init(
            name: String, points: [(x: Double, y: Double)], isDashed: Bool = false, colorOf: String? = nil
        ) {
            self.name = name
            self.points = points
            self.isDashed = isDashed
            self.colorOf = colorOf
        }
    }

    /// A vertical line that marks a choice.
    public struct Mark: Sendable {
        public var x: Double
        public var label: String

        public init(x: Double, label: String) {
            self.x = x
            self.label = label
        }
    }

    public enum Scale: Sendable {
        case linear
        /// Equal ratios are equally far apart.
        case logarithmic
    }

    public var title: String
    public var xLabel: String
    public var yLabel: String
    public var xScale: Scale
    public var yScale: Scale
    public var series: [Series]
    public var mark: Mark?

    public init(
        title: String, xLabel: String, yLabel: String, xScale: Scale = .linear, yScale: Scale = .linear,
        series: [Series], mark: Mark? = nil
    ) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.xScale = xScale
        self.yScale = yScale
        self.series = series
        self.mark = mark
    }

    /// The chart as a PNG file.
    public func png(width: Int = 860, height: Int = 420) -> Data {
        let canvas = Canvas(width: width, height: height)
        PlotDrawing(self, canvas).draw()
        return canvas.png()
    }
}

extension Plot.Scale {
    /// Where a value stands along an axis; not finite for one that has no place there.
    fileprivate func place(_ value: Double) -> Double { self == .linear ? value : log10(value) }

    /// Round values whose places are in `range`, about `count` of them.
    fileprivate func ticks(covering range: ClosedRange<Double>, count: Int) -> [Double] {
        self == .linear
            ? Reports.ticks(covering: range, count: count) : logarithmicTicks(covering: range, count: count)
    }

    fileprivate func label(_ tick: Double) -> String { self == .linear ? plain(tick) : powerOfTen(tick) }
}

/// A chart being drawn.
private struct PlotDrawing {
    let plot: Plot
    let canvas: Canvas
    /// On a logarithmic axis of logarithms, as all places.
    let xs, ys: ClosedRange<Double>
    let left = 74.0
    let top = 52.0
    let legend: Double
    let colors: [Color]

    init(_ plot: Plot, _ canvas: Canvas) {
        self.plot = plot
        self.canvas = canvas
        let points = plot.series.flatMap(\.points)
            .map { (x: plot.xScale.place($0.x), y: plot.yScale.place($0.y)) }
            .filter { $0.x.isFinite && $0.y.isFinite }
        let mark = plot.mark.map { plot.xScale.place($0.x) }.flatMap { $0.isFinite ? [$0] : nil } ?? []
        xs = Self.range(of: points.map(\.x) + mark, margin: 0)
        ys = Self.range(of: points.map(\.y), margin: 0.06)
        let widest = plot.series.map { canvas.textWidth($0.name, size: 12) }.max() ?? 0
        legend =
            plot.series.count(where: { !$0.name.isEmpty }) > 1 ? min(widest + 52, Double(canvas.width) / 3) : 24
        colors = Self.colors(of: plot.series)
    }

    private static func colors(of series: [Plot.Series]) -> [Color] {
        var own: [String: Color] = [:]
        return series.map { series in
            if let other = series.colorOf, let color = own[other] { return color }
            let color = Color.series[own.count % Color.series.count]
            own[series.name] = color
            return color
        }
    }

    /// The range of values, widened by a share of it; never empty.
    private static func range(of values: [Double], margin: Double) -> ClosedRange<Double> {
        guard let low = values.min(), let high = values.max() else { return 0...1 }
        if low == high { return low - 0.5...high + 0.5 }
        return low - (high - low) * margin...high + (high - low) * margin
    }

    private var right: Double { Double(canvas.width) - legend }
    private var bottom: Double { Double(canvas.height) - 54 }
    private func x(_ value: Double) -> Double {
        left + (plot.xScale.place(value) - xs.lowerBound) / (xs.upperBound - xs.lowerBound) * (right - left)
    }
    private func y(_ value: Double) -> Double {
        bottom - (plot.yScale.place(value) - ys.lowerBound) / (ys.upperBound - ys.lowerBound) * (bottom - top)
    }

    func draw() {
        let title = canvas.fitting(plot.title, width: right - 20, size: 15, bold: true)
        canvas.text(title, 20, 28, size: 15, bold: true)
        drawAxes()
        drawMark()
        for (series, color) in zip(plot.series, colors) {
            let points = series.points.map { (x: x($0.x), y: y($0.y)) }
            canvas.line(points, color, width: 2, dashed: series.isDashed)
            let seen = points.filter { $0.x.isFinite && $0.y.isFinite }
            if seen.count <= 30, !series.isDashed {
                for point in seen { canvas.dot(point.x, point.y, radius: 3, color) }
            }
        }
        if plot.series.allSatisfy(\.points.isEmpty) {
            canvas.text("no data", (left + right) / 2, (top + bottom) / 2, size: 14, .quiet, align: .center)
        }
        if legend > 24 { drawLegend() }
    }

    private func drawAxes() {
        for tick in plot.yScale.ticks(covering: ys, count: 6) {
            canvas.line([(left, y(tick)), (right, y(tick))], .line)
            canvas.text(plot.yScale.label(tick), left - 8, y(tick) + 4, size: 12, .quiet, align: .right)
        }
        for tick in plot.xScale.ticks(covering: xs, count: 8) {
            canvas.line([(x(tick), bottom), (x(tick), bottom + 5)], .quiet)
            canvas.text(plot.xScale.label(tick), x(tick), bottom + 20, size: 12, .quiet, align: .center)
        }
        canvas.line([(left, bottom), (right, bottom)], .quiet)
        canvas.text(plot.xLabel, (left + right) / 2, bottom + 42, size: 13, align: .center)
        canvas.text(plot.yLabel, 22, (top + bottom) / 2, size: 13, align: .center, turned: true)
    }

    private func drawMark() {
        guard let mark = plot.mark, x(mark.x).isFinite else { return }
        let place = x(mark.x)
        canvas.line([(place, top), (place, bottom)], .ink, width: 1.5, dashed: true)
        let isRight = place > (left + right) / 2
        canvas.text(mark.label, place + (isRight ? -6 : 6), top + 10, size: 12, align: isRight ? .right : .left)
    }

    private func drawLegend() {
        let named = zip(plot.series, colors).filter { !$0.0.name.isEmpty }
        for (index, (series, color)) in named.enumerated() {
            let y = top + 12 + Double(index) * 20
            guard y < bottom else { return }
            canvas.line([(right + 14, y - 4), (right + 36, y - 4)], color, width: 2.5, dashed: series.isDashed)
            canvas.text(canvas.fitting(series.name, width: legend - 48, size: 12), right + 42, y, size: 12)
        }
    }
}
