/** A view whose code comes when it is first shown; a failed load can be tried again. */
import type { ComponentType, FunctionComponent, VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button } from "./Button";
import { Empty } from "./Empty";

export interface Lazy<P> extends FunctionComponent<P> {
  /** Fetch the code now, ahead of need. */
  preload(): Promise<unknown>;
}

export function lazy<P extends object>(
  load: () => Promise<ComponentType<P>>,
  waiting: (props: P) => VNode | null = () => null,
): Lazy<P> {
  let loaded: ComponentType<P> | undefined;
  const fetch = async () => {
    loaded ??= await load();
    return loaded;
  };
  const Shown: Lazy<P> = (props: P) => {
    const [, drawAgain] = useState(0);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (loaded || failed) return;
      let isShown = true;
      fetch().then(
        () => isShown && drawAgain((count) => count + 1),
        () => isShown && setFailed(true),
      );
      return () => {
        isShown = false;
      };
    }, [failed]);
    if (loaded) {
      const View = loaded;
      return <View {...props} />;
    }
    if (!failed) return waiting(props);
    const again = <Button onClick={() => setFailed(false)}>Try again</Button>;
    return (
      <Empty title="This part did not load" action={again}>
        The connection may be gone, or there is a newer version: then reload the page.
      </Empty>
    );
  };
  Shown.preload = fetch;
  return Shown;
}
